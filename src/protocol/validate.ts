/**
 * Request bodies: from parsed JSON to a typed request, or a refusal that names the field.
 *
 * A valid body passes a compiled check and is handed on as it is, not copied. Only a body that failed is walked a
 * second time to say why (`explain-invalid.ts`).
 */
import { COMPACT_FIELDS, type CompactRequest, CompactRequestSchema } from './compact.ts'
import { compileCheck } from './compile-check.ts'
import { badRequest } from './errors.ts'
import { explainInvalid, type UnknownTypeExplainers } from './explain-invalid.ts'
import { carryForeignFields, reportUnknownFields } from './foreign-fields.ts'
import { clip } from './invalid-texts.ts'
import { LATER_ITEM_TYPES } from './items.ts'
import {
  COUNT_INPUT_TOKENS_FIELDS,
  type CountInputTokensRequest,
  CountInputTokensSchema,
  CREATE_RESPONSE_FIELDS,
  type CreateResponseRequest,
  CreateResponseSchema,
} from './request.ts'
import { COMPACT_RULES, COUNT_INPUT_TOKENS_RULES, CREATE_RESPONSE_RULES } from './request-rules.ts'

export type ValidationOptions = {
  /**
   * Unknown top-level fields: refuse, or take the request and report them. `warn` and `drop` differ only in the log,
   * which is the caller's: what was ignored is always in `warnings`.
   */
  readonly unknownParams: 'error' | 'warn' | 'drop'
  /** The least `max_output_tokens` that is taken; OpenAI's is 16. Default 1. */
  readonly minOutputTokens?: number
}

export type Validated<T> = {
  readonly request: T
  /** Printable ASCII, one line each: what was ignored or taken differently. */
  readonly warnings: readonly string[]
}

const fitsCreate = compileCheck(CreateResponseSchema)
const fitsCount = compileCheck(CountInputTokensSchema)
const fitsCompact = compileCheck(CompactRequestSchema)

/** @throws ApiError 400 with the path of the first field that is wrong */
export function validateCreateResponse(body: unknown, options: ValidationOptions): Validated<CreateResponseRequest> {
  const warnings: string[] = []
  const carried = isObject(body) ? carryForeignFields(body, warnings) : body
  if (!fitsCreate(carried)) throw explainInvalid(CreateResponseSchema, carried, UNKNOWN_TYPES)
  const request: CreateResponseRequest = carried
  reportUnknownFields(request, KNOWN_CREATE_FIELDS, options.unknownParams, warnings)
  for (const rule of CREATE_RESPONSE_RULES) rule(request, { minOutputTokens: options.minOutputTokens ?? 1, warnings })
  return { request, warnings }
}

/** @throws ApiError 400 with the path of the first field that is wrong */
export function validateCountInputTokens(
  body: unknown,
  options: ValidationOptions,
): Validated<CountInputTokensRequest> {
  const warnings: string[] = []
  // What is unknown here may be a field of a create request, unchecked: it must not reach who reads those.
  const request = isObject(body) ? pickFields(body, COUNT_INPUT_TOKENS_FIELDS) : body
  if (!fitsCount(request)) throw explainInvalid(CountInputTokensSchema, request, UNKNOWN_TYPES)
  if (isObject(body)) reportUnknownFields(body, COUNT_INPUT_TOKENS_FIELDS, options.unknownParams, warnings)
  for (const rule of COUNT_INPUT_TOKENS_RULES) rule(request, { minOutputTokens: 1, warnings })
  return { request, warnings }
}

/** @throws ApiError 400; `model` is required whatever the configuration says */
export function validateCompact(body: unknown, options: ValidationOptions): Validated<CompactRequest> {
  const warnings: string[] = []
  const request = isObject(body) ? pickFields(body, COMPACT_FIELDS) : body
  if (!fitsCompact(request)) throw explainInvalid(CompactRequestSchema, request, UNKNOWN_TYPES)
  if (isObject(body)) reportUnknownFields(body, COMPACT_FIELDS, options.unknownParams, warnings)
  for (const rule of COMPACT_RULES) rule(request, { minOutputTokens: 1, warnings })
  return { request, warnings }
}

const pickFields = (body: Readonly<Record<string, unknown>>, known: ReadonlySet<string>): unknown =>
  Object.fromEntries(Object.entries(body).filter(([name]) => known.has(name)))

const KNOWN_CREATE_FIELDS: ReadonlySet<string> = new Set([...CREATE_RESPONSE_FIELDS, 'stop'])

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const NONE: ReadonlySet<string> = new Set()

/** Types that exist, here or elsewhere, but not in this server: each answer says which of the two it is. */
export const UNKNOWN_TYPES: UnknownTypeExplainers = {
  InputItem: explainType('item', LATER_ITEM_TYPES, 'Leave the item out, or send its content as a message.'),
  ToolParam: explainType('tool', NONE, "Declare a tool of type 'function' and run it in your client."),
  ToolChoiceParam: explainType('tool_choice', NONE, "Name a 'function' or 'custom' tool instead."),
}

function explainType(kind: string, later: ReadonlySet<string>, advice: string): UnknownTypeExplainers[string] {
  return (type, path) => {
    const refuse = (why: string) =>
      badRequest(path, 'unsupported_value', `Unsupported value: '${path}' does not support '${clip(type)}'. ${why}`)
    if (later.has(type)) return refuse(`This server does not carry ${kind} types of this kind yet. ${advice}`)
    if (type.includes(':')) return refuse(`This server has no extension with this ${kind} type. ${advice}`)
    return null
  }
}
