/**
 * The floor's translation: the least code that turns a Responses request into a Chat Completions call and its reply into
 * the nine events. No validation, routing, keys, store or logs. Everything a server adds to this is its own cost.
 */
import { Pool } from 'undici'

type InputItem = {
  readonly type?: string
  readonly role?: string
  readonly content?: string | readonly { readonly text: string }[]
  readonly call_id?: string
  readonly name?: string
  readonly arguments?: string
  readonly output?: string
}
export type FloorRequest = {
  readonly model: string
  readonly instructions?: string
  readonly input: string | readonly InputItem[]
  readonly tools?: readonly Readonly<Record<string, unknown>>[]
  readonly stream?: boolean
  readonly store?: boolean
  readonly previous_response_id?: string
}
export type Message = Readonly<Record<string, unknown>>
type Chunk = {
  readonly choices: readonly { readonly delta: { readonly content?: string } }[]
  readonly usage?: ChatUsage
}
type ChatUsage = { readonly prompt_tokens: number; readonly completion_tokens: number; readonly total_tokens: number }
export type FloorResponse = { readonly id: string; readonly output: readonly object[] }

let ids = 0
const nextId = (prefix: string) => `${prefix}_${(++ids).toString(16).padStart(48, '0')}`

export const createUpstream = (origin: string): Pool => new Pool(origin, { connections: 20_000, pipelining: 1 })

export function toMessages(request: FloorRequest): Message[] {
  const system = request.instructions === undefined ? [] : [{ role: 'system', content: request.instructions }]
  if (typeof request.input === 'string') return [...system, { role: 'user', content: request.input }]
  return [...system, ...request.input.map(toMessage)]
}

function toMessage(item: InputItem): Message {
  if (item.type === 'function_call') {
    const call = { id: item.call_id, type: 'function', function: { name: item.name, arguments: item.arguments } }
    return { role: 'assistant', content: null, tool_calls: [call] }
  }
  if (item.type === 'function_call_output') return { role: 'tool', tool_call_id: item.call_id, content: item.output }
  const { content } = item
  return { role: item.role, content: Array.isArray(content) ? content.map((part) => part.text).join('') : content }
}

const toTool = ({ type: _, ...rest }: Readonly<Record<string, unknown>>) => ({ type: 'function', function: rest })

/** Calls the upstream and hands each reply text to `onDelta` as it comes; answers the whole text and the usage. */
async function callUpstream(
  upstream: Pool,
  request: FloorRequest,
  messages: readonly Message[],
  onDelta: (delta: string) => void,
): Promise<{ text: string; usage: ChatUsage | null }> {
  const tools = request.tools?.map(toTool)
  const { body } = await upstream.request({
    method: 'POST',
    path: '/v1/chat/completions',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: request.model,
      messages,
      tools,
      stream: true,
      stream_options: { include_usage: true },
    }),
  })
  let [pending, text]: [string, string] = ['', '']
  let usage: ChatUsage | null = null
  for await (const data of body.setEncoding('utf8')) {
    const lines = (pending + data).split('\n')
    pending = lines.pop() ?? ''
    for (const line of lines) {
      if (!line.startsWith('data: ') || line === 'data: [DONE]') continue
      const chunk: Chunk = JSON.parse(line.slice(6))
      const delta = chunk.choices[0]?.delta.content
      if (chunk.usage !== undefined) usage = chunk.usage
      if (!delta) continue
      text += delta
      onDelta(delta)
    }
  }
  return { text, usage }
}

/** Runs one request; `send` gets each event's frame, or nothing when the request asked for JSON. */
export async function runFloor(
  upstream: Pool,
  request: FloorRequest,
  messages: readonly Message[],
  send: ((frame: string) => void) | null,
): Promise<FloorResponse> {
  const response = {
    ...ECHO,
    id: nextId('resp'),
    created_at: 1,
    model: request.model,
    status: 'in_progress',
    output: [],
  }
  const item = { id: nextId('msg'), type: 'message', role: 'assistant', status: 'in_progress', content: [] }
  const at = { item_id: item.id, output_index: 0, content_index: 0 }
  let sequence = 0
  const emit = (type: string, fields: object) =>
    send?.(`event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence++, ...fields })}\n\n`)

  emit('response.created', { response })
  emit('response.in_progress', { response })
  emit('response.output_item.added', { output_index: 0, item })
  emit('response.content_part.added', { ...at, part: { type: 'output_text', text: '', annotations: [], logprobs: [] } })
  const { text, usage } = await callUpstream(upstream, request, messages, (delta) =>
    emit('response.output_text.delta', { ...at, delta, logprobs: [] }),
  )
  const part = { type: 'output_text', text, annotations: [], logprobs: [] }
  const done = { ...item, status: 'completed', content: [part] }
  const completed = { ...response, status: 'completed', output: [done], usage: toUsage(usage) }
  emit('response.output_text.done', { ...at, text, logprobs: [] })
  emit('response.content_part.done', { ...at, part })
  emit('response.output_item.done', { output_index: 0, item: done })
  emit('response.completed', { response: completed })
  return completed
}

const toUsage = (usage: ChatUsage | null) => ({
  input_tokens: usage?.prompt_tokens ?? 0,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: usage?.completion_tokens ?? 0,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: usage?.total_tokens ?? 0,
})

/** The request fields a Response repeats; constant here, because reading them is not translation. */
const ECHO = {
  object: 'response',
  background: false,
  error: null,
  incomplete_details: null,
  instructions: null,
  max_output_tokens: null,
  max_tool_calls: null,
  metadata: {},
  parallel_tool_calls: true,
  previous_response_id: null,
  prompt_cache_key: null,
  reasoning: { effort: null, summary: null },
  safety_identifier: null,
  service_tier: 'default',
  store: false,
  temperature: 1,
  text: { format: { type: 'text' } },
  tool_choice: 'auto',
  tools: [],
  top_logprobs: 0,
  top_p: 1,
  truncation: 'disabled',
  usage: null,
  user: null,
}
