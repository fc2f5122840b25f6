/**
 * A Response as one compact JSON text and a few columns.
 *
 * Columns hold what queries ask for; `output` is stored as items; `output_text` follows from `output`; and a field that
 * has its usual value is left out. A plain response then takes about 250 bytes instead of 1,000, in every turn.
 *
 * Invariant: what `decodeResponse` returns equals what `encodeResponse` was given, for any Response.
 * Invariant: a value in `USUAL` is part of the storage format. Adding a field is safe (old rows then read as having it);
 * changing a value would change every stored response, so that needs a migration.
 */
import { joinOutputText } from '../../protocol/output-text.ts'
import type { ResponseError, ResponseObject, ResponseStatus } from '../../protocol/response.ts'

type Derived = 'id' | 'created_at' | 'status' | 'previous_response_id' | 'output_text'
/** What is not there has its usual value, which the type of the others does not say. */
type StoredBody = Omit<ResponseObject, Derived | 'output' | keyof typeof USUAL> &
  Partial<Pick<ResponseObject, keyof typeof USUAL>> & { output_text?: string }

/** In the order in which the API shows them. */
const USUAL = {
  object: 'response',
  background: false,
  completed_at: null,
  error: null,
  incomplete_details: null,
  instructions: null,
  max_output_tokens: null,
  max_tool_calls: null,
  parallel_tool_calls: true,
  conversation: null,
  prompt: null,
  prompt_cache_key: null,
  prompt_cache_retention: null,
  reasoning: { effort: null, summary: null },
  safety_identifier: null,
  service_tier: 'default',
  store: true,
  temperature: 1,
  top_p: 1,
  presence_penalty: 0,
  frequency_penalty: 0,
  text: { format: { type: 'text' }, verbosity: 'medium' },
  tool_choice: 'auto',
  tools: [],
  top_logprobs: 0,
  truncation: 'disabled',
  user: null,
  metadata: {},
  moderation: null,
  content_filters: null,
} satisfies Partial<ResponseObject>

/** A copy that shares nothing with the next one. */
const usualFields = () => ({
  ...USUAL,
  reasoning: { ...USUAL.reasoning },
  text: { ...USUAL.text, format: { ...USUAL.text.format } },
  tools: [],
  metadata: {},
})
const usual = new Map<string, { readonly value: unknown; readonly text: string }>(
  Object.entries(USUAL).map(([name, value]) => [name, { value, text: JSON.stringify(value) }]),
)
/** In columns, as items, or following from those. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'id',
  'created_at',
  'status',
  'previous_response_id',
  'output',
  'output_text',
])

export function encodeResponse(response: ResponseObject): string {
  const kept: string[] = []
  for (const [name, value] of Object.entries(response)) {
    const expected = usual.get(name)
    if (ELSEWHERE.has(name) || value === expected?.value) continue
    const text: string | undefined = JSON.stringify(value)
    if (text !== undefined && text !== expected?.text) kept.push(`${JSON.stringify(name)}:${text}`)
  }
  const { output, output_text } = response
  if (output_text !== joinOutputText(output)) kept.push(`"output_text":${JSON.stringify(output_text)}`)
  return `{${kept.join(',')}}`
}

export type ResponseRow = {
  readonly id: string
  readonly created_at: number
  readonly status: ResponseStatus
  readonly previous_response_id: string | null
  readonly body: string
  /** The bodies of the output items joined with commas, null when there are none. */
  readonly output: string | null
}

/** A field that was stored keeps the place of the usual one. */
export function decodeResponse(row: ResponseRow): ResponseObject {
  const stored: StoredBody = JSON.parse(row.body)
  const output: ResponseObject['output'] = JSON.parse(`[${row.output ?? ''}]`)
  const { id, created_at, status, previous_response_id } = row
  const output_text = stored.output_text ?? joinOutputText(output)
  return {
    ...{ id, object: USUAL.object, created_at, status, background: USUAL.background },
    ...{ ...usualFields(), ...stored },
    ...{ output, output_text, previous_response_id },
  }
}

/** The stored body of a response with another `error`. */
export const withError = (body: string, error: ResponseError): string => JSON.stringify({ ...JSON.parse(body), error })
