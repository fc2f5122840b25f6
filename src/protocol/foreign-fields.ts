/**
 * Top-level fields that are not of this API. Two are carried: `stop`, and the `response_format` of chat completions,
 * which becomes `text.format`. The rest is refused or reported, with a hint where it has a name here.
 */

import { nearestName } from '../lib/nearest-name.ts'
import { compileCheck } from './compile-check.ts'
import { unknownParameter, unsupportedParameter } from './errors.ts'
import { explainInvalid } from './explain-invalid.ts'
import { clip } from './invalid-texts.ts'
import type { TextFormatParamSchema } from './options.ts'
import { AnyObject, Maybe, type Static, Type } from './schema.ts'

export const MAX_STOP_SEQUENCES = 4
/** A request full of junk still answers with headers of bounded size. */
const MAX_UNKNOWN_WARNINGS = 16

const StopText = Type.String({ minLength: 1, maxLength: 256 })
export const ForeignFieldsSchema = Type.Object({
  stop: Maybe(Type.Union([StopText, Type.Array(StopText, { maxItems: MAX_STOP_SEQUENCES })])),
  response_format: Maybe(
    Type.Union([
      Type.Object({ type: Type.Literal('text') }),
      Type.Object({ type: Type.Literal('json_object') }),
      Type.Object({
        type: Type.Literal('json_schema'),
        json_schema: Type.Object({
          name: Type.String(),
          schema: AnyObject(),
          description: Maybe(Type.String()),
          strict: Maybe(Type.Boolean()),
        }),
      }),
    ]),
  ),
})
const fitsForeign = compileCheck(ForeignFieldsSchema)

type JsonObject = Readonly<Record<string, unknown>>
type ResponseFormat = NonNullable<Static<typeof ForeignFieldsSchema>['response_format']>
type TextFormatParam = Static<typeof TextFormatParamSchema>

/** Where a field of another API lives in this one. */
const MOVED: ReadonlyMap<string, string> = new Map([
  ['max_tokens', 'max_output_tokens'],
  ['max_completion_tokens', 'max_output_tokens'],
  ['messages', 'input'],
  ['system', 'instructions'],
  ['functions', 'tools'],
  ['function_call', 'tool_choice'],
  ['reasoning_effort', 'reasoning.effort'],
  ['verbosity', 'text.verbosity'],
  ['logprobs', 'top_logprobs'],
  ['stop_sequences', 'stop'],
])

/** The body with the carried fields in their place here; the very same object when it has none of them. */
export function carryForeignFields(body: JsonObject, warnings: string[]): JsonObject {
  if (!('stop' in body) && !('response_format' in body)) return body
  const { stop, response_format, ...rest } = body
  const foreign: unknown = { stop, response_format }
  if (!fitsForeign(foreign)) throw explainInvalid(ForeignFieldsSchema, foreign, {})
  const stops = typeof foreign.stop === 'string' ? [foreign.stop] : (foreign.stop ?? [])
  return {
    ...rest,
    ...(stops.length > 0 ? { stop: stops } : {}),
    ...(foreign.response_format ? carryFormat(rest.text, toTextFormat(foreign.response_format), warnings) : {}),
  }
}

function carryFormat(text: unknown, format: TextFormatParam, warnings: string[]): { text: unknown } {
  if (text !== undefined && text !== null && (typeof text !== 'object' || Array.isArray(text))) return { text }
  const given = { ...text }
  if ('format' in given && given.format !== null) {
    warnings.push("response_format was ignored, because 'text.format' is given")
    return { text }
  }
  warnings.push("response_format was taken as 'text.format'")
  return { text: { ...given, format } }
}

const toTextFormat = (format: ResponseFormat): TextFormatParam =>
  format.type === 'json_schema' ? { type: format.type, ...format.json_schema } : format

/**
 * Refuses (`error`) or reports every top-level field that `known` does not list. `moved`: where a field of another API
 * lives in the one of this request.
 */
export function reportUnknownFields(
  body: JsonObject,
  known: ReadonlySet<string>,
  policy: 'error' | 'warn' | 'drop',
  warnings: string[],
  moved: ReadonlyMap<string, string> = MOVED,
): void {
  const unknown = Object.keys(body).filter((key) => !known.has(key))
  const [first] = unknown
  if (first === undefined) return
  if (policy === 'error') throw refusal(first, known, moved)
  for (const name of unknown.slice(0, MAX_UNKNOWN_WARNINGS)) warnings.push(warning(name, known, moved))
  const more = unknown.length - MAX_UNKNOWN_WARNINGS
  if (more > 0) warnings.push(`${more} more unknown parameters were ignored`)
}

/** The refusal of a field from another API that has another name here; null when it has none. */
export function movedParameter(name: string) {
  const here = MOVED.get(name)
  if (here === undefined) return null
  const why = `In the Responses API, this parameter has moved to '${here}'. Try again with the new parameter.`
  return unsupportedParameter(name, why)
}

function refusal(name: string, known: ReadonlySet<string>, moved: ReadonlyMap<string, string>) {
  const here = moved.get(name)
  if (here === undefined) return unknownParameter(clip(name), nearestName(name, known))
  return (moved === MOVED && movedParameter(name)) || unsupportedParameter(name, `Use '${here}' instead.`)
}

function warning(name: string, known: ReadonlySet<string>, moved: ReadonlyMap<string, string>): string {
  const shown = clip(name).replaceAll(/[^\x20-\x7e]/g, '?')
  const unknown = `${shown} is unknown and was ignored`
  const here = moved.get(name)
  if (here !== undefined) return `${unknown}; use '${here}'`
  const meant = nearestName(name, known)
  return meant === null ? unknown : `${unknown}; did you mean '${meant}'?`
}
