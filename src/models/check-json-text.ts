/** Finds the JSON in what a model wrote and holds it against the requested format. */
import type { TextFormat } from '../protocol/options.ts'
import type { CheckResult, IsolatedChecks } from './isolated-checks.ts'
import { ModelError } from './model.ts'

export type JsonVerdict =
  | { readonly ok: true; readonly json: string; readonly problems: readonly string[] }
  /** `json` is null when there is none in the text. */
  | { readonly ok: false; readonly json: string | null; readonly problems: readonly string[] }

const MAX_PROBLEMS = 5
const FENCED = /```[\w-]*[ \t]*\r?\n([\s\S]*?)\r?\n?[ \t]*```/
/** Keywords whose check can take exponential time; schemas with them are checked in isolation. */
const COSTLY_KEYWORDS: ReadonlySet<string> = new Set(['pattern', 'patternProperties', '$ref', '$dynamicRef', 'format'])

export type CheckOptions = {
  readonly checks: IsolatedChecks
  readonly signal: AbortSignal
  /** Where the schema came from, for the error that blames it. */
  readonly param?: string
}

/** Throws `invalid_request` for a schema that cannot be applied: broken, or too slow to check. */
export async function checkJsonText(
  text: string,
  format: Exclude<TextFormat, { type: 'text' }>,
  { checks, signal, param = 'text.format.schema' }: CheckOptions,
): Promise<JsonVerdict> {
  const found = findJson(text)
  if (found === null) return { ok: false, json: null, problems: ['there is no JSON in it'] }
  const schema = format.type === 'json_object' ? { type: 'object' } : format.schema
  const result = await validate(schema, found.value, checks, signal)
  if (result.outcome === 'valid') return { ok: true, json: found.json, problems: [] }
  if (result.outcome === 'invalid') return { ok: false, json: found.json, problems: result.problems }
  // No answer could pass, so another turn of the model would be paid for nothing.
  throw new ModelError('invalid_request', `The answer could not be checked against the schema: ${result.reason}.`, {
    param,
  })
}

/** The whole text, else the first code fence, else what stands between the outermost brackets. */
export function findJson(text: string): { readonly json: string; readonly value: unknown } | null {
  const open = text.search(/[{[]/)
  const close = Math.max(text.lastIndexOf('}'), text.lastIndexOf(']'))
  const candidates = [
    text,
    FENCED.exec(text)?.[1],
    open !== -1 && close > open ? text.slice(open, close + 1) : undefined,
  ]
  for (const candidate of candidates) {
    if (candidate === undefined) continue
    const json = candidate.trim()
    try {
      return { json, value: JSON.parse(json) }
    } catch {
      // Not this one.
    }
  }
  return null
}

async function validate(
  schema: Readonly<Record<string, unknown>>,
  value: unknown,
  checks: IsolatedChecks,
  signal: AbortSignal,
): Promise<CheckResult> {
  if (isCostly(schema)) return checks.run({ kind: 'schema', schema, value }, signal)
  try {
    // Loaded when first needed: a tenth of a second of every start would be much for what most servers never do.
    const { Errors } = await import('typebox/schema')
    const [, errors] = Errors(schema, value)
    if (errors.length === 0) return { outcome: 'valid' }
    const problems = errors
      .slice(0, MAX_PROBLEMS)
      .map((error) => `${error.instancePath || 'the value'} ${error.message}`)
    return { outcome: 'invalid', problems }
  } catch (error) {
    return { outcome: 'undecided', reason: error instanceof Error ? error.message : 'unknown' }
  }
}

/** Errs on the side of isolation: a property that is called like a keyword counts as one. */
function isCostly(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return false
  return Object.entries(schema).some(([key, value]) => COSTLY_KEYWORDS.has(key) || isCostly(value))
}
