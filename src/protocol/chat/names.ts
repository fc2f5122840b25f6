/** Names of the Responses API -> names of chat completions, so that a refusal speaks of what the client has sent. */
import { ApiError } from '../errors.ts'
import type { Origin } from './messages.ts'

/** Answers the chat name of a request field, as `messages[2].content[0]` for `input[3].content[0]`. */
export type Rename = (param: string) => string

const FIELDS: Readonly<Record<string, string>> = {
  input: 'messages',
  instructions: 'messages',
  max_output_tokens: 'max_completion_tokens',
  'reasoning.effort': 'reasoning_effort',
  reasoning: 'reasoning_effort',
  'text.verbosity': 'verbosity',
  'text.format': 'response_format',
  text: 'response_format',
  include: 'logprobs',
}

const INPUT = /^input\[(\d+)\](.*)$/
const TOOL = /^tools\[(\d+)\]\.(name|description|parameters|strict|format)(.*)$/
const FORMAT_FIELD = /^text\.format\.(name|schema|description|strict)(.*)$/
const LAST_FIELD = /\.([a-z_]+)$/

/** `toolKinds`: of the request's tools, in order. */
export function createRename(origins: readonly Origin[], toolKinds: readonly string[]): Rename {
  const inInput = (index: string, rest: string): string => {
    const origin = origins[Number(index)]
    if (origin === undefined) return 'messages'
    return (
      origin.path + rest.replace(LAST_FIELD, (whole, field: string) => `.${origin.fields[field] ?? whole.slice(1)}`)
    )
  }
  return (param) => {
    const field = FIELDS[param]
    if (field !== undefined) return field
    const [, item, rest = ''] = INPUT.exec(param) ?? []
    if (item !== undefined) return inInput(item, rest)
    const [, at, name, below = ''] = TOOL.exec(param) ?? []
    if (at !== undefined) return `tools[${at}].${toolKinds[Number(at)] ?? 'function'}.${name}${below}`
    return param.replace(FORMAT_FIELD, 'response_format.json_schema.$1$2')
  }
}

/** Names of the Responses API inside quotes; one that means something else here as well stands for itself. */
const QUOTED =
  /'((?:input\[\d+\]|tools\[\d+\]\.|text\.format|text\.verbosity|reasoning\.effort|max_output_tokens)[^']*)'/g

/** The same error in the words of chat completions. */
export function toChatError(error: unknown, rename: Rename): unknown {
  if (!(error instanceof ApiError)) return error
  const param = error.param === null ? null : rename(error.param)
  const quoted = error.message.replace(QUOTED, (_, name: string) => `'${rename(name)}'`)
  const message = error.param === null ? quoted : quoted.replaceAll(`'${error.param}'`, `'${param}'`)
  const { status, type, code, headers } = error
  return new ApiError({ status, type, code, headers, param, message, cause: error.cause ?? error })
}

/** The same for a warning, which begins with the name of a field. */
export const toChatWarning = (warning: string, rename: Rename): string =>
  warning.replace(/^[a-z_.[\]\d]+(?=:)/, rename).replace(QUOTED, (_, name: string) => `'${rename(name)}'`)
