/** Anthropic's Messages. */
import { createHash } from 'node:crypto'
import {
  eventStream,
  type Failure,
  fields,
  type Heard,
  type HeardPart,
  json,
  list,
  numberOrNull,
  pieces,
  SPENT,
  type Wire,
} from '../said.ts'

const STOP = { done: 'end_turn', length: 'max_tokens', filtered: 'refusal' }

const FAILURES: Readonly<Record<Failure, readonly [number, string, string]>> = {
  overloaded: [529, 'overloaded_error', 'Overloaded'],
  rate_limit: [429, 'rate_limit_error', 'Slow down'],
  bad_key: [401, 'authentication_error', 'invalid x-api-key'],
  no_model: [404, 'not_found_error', 'model: nothing'],
  too_long: [400, 'invalid_request_error', 'prompt is too long: 20 tokens > 10 maximum'],
  invalid: [400, 'invalid_request_error', 'temperature: is too hot'],
  broken: [500, 'api_error', 'Internal server error'],
}

/** A signature holds for the thought it was made for, as the real one does. */
const sign = (thought: string, signature: string) =>
  createHash('sha256').update(`${thought}|${signature}`).digest('base64')

export const anthropic: Wire = {
  name: 'Anthropic',
  api: 'anthropic',
  base: '/v1',
  signed: ({ thought, signature }) => sign(thought, signature),
  declines: true,
  asks: (path) => path === '/v1/messages',
  hear: ({ body }) => hear(body),
  say({ says, ends = 'done', spent = SPENT }) {
    const frames: string[] = []
    const event = (type: string, data: object) =>
      frames.push(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`)
    const input_tokens = spent.input - spent.cached
    const usage = {
      input_tokens,
      cache_read_input_tokens: spent.cached,
      cache_creation_input_tokens: 0,
      output_tokens: 1,
    }
    const message = {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      content: [],
      model: 'm',
      stop_reason: null,
      usage,
    }
    event('message_start', { message })
    event('ping', {})
    let calls = 0
    says.forEach((said, index) => {
      const start = (content_block: object) => event('content_block_start', { index, content_block })
      const delta = (value: object) => event('content_block_delta', { index, delta: value })
      if ('text' in said) {
        start({ type: 'text', text: '' })
        for (const text of pieces(said.text)) delta({ type: 'text_delta', text })
      } else if ('thought' in said) {
        start({ type: 'thinking', thinking: '', signature: '' })
        for (const thinking of pieces(said.thought)) delta({ type: 'thinking_delta', thinking })
        delta({ type: 'signature_delta', signature: sign(said.thought, said.signature) })
      } else {
        start({ type: 'tool_use', id: `toolu_${++calls}`, name: said.call, input: {} })
        for (const partial_json of ['', ...pieces(JSON.stringify(said.input))])
          delta({ type: 'input_json_delta', partial_json })
      }
      event('content_block_stop', { index })
    })
    const stop_reason = calls > 0 && ends === 'done' ? 'tool_use' : STOP[ends]
    event('message_delta', { delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: spent.output } })
    event('message_stop', {})
    return eventStream(frames)
  },
  fail(failure) {
    const [status, type, message] = FAILURES[failure]
    return json(status, { type: 'error', error: { type, message }, request_id: 'req_1' })
  },
  other: ({ path }) =>
    path.endsWith('/count_tokens')
      ? json(200, { input_tokens: 20 })
      : json(200, {
          data: [{ type: 'model', id: 'model-1', display_name: 'Model 1', created_at: '2026-01-01T00:00:00Z' }],
          has_more: false,
          first_id: 'model-1',
          last_id: 'model-1',
        }),
}

const systemOf = (system: unknown): string =>
  typeof system === 'string'
    ? system
    : list(system)
        .map(({ text }) => String(text))
        .join('\n')

function hear(body: Readonly<Record<string, unknown>>): Heard {
  const format = fields(fields(body.output_config).format ?? body.output_format)
  return {
    model: String(body.model),
    system: systemOf(body.system),
    parts: list(body.messages).flatMap(({ role, content }) =>
      typeof content === 'string'
        ? [{ from: role === 'user' ? ('user' as const) : ('model' as const), text: content }]
        : list(content).flatMap((block) => hearBlock(block, role === 'user' ? 'user' : 'model')),
    ),
    tools: list(body.tools).map(({ name, input_schema }) => ({ name: String(name), schema: input_schema })),
    choice: hearChoice(fields(body.tool_choice)),
    schema: format.type === 'json_schema' ? format.schema : null,
    maxTokens: numberOrNull(body.max_tokens),
    temperature: numberOrNull(body.temperature),
    stop: Array.isArray(body.stop_sequences) ? body.stop_sequences : [],
  }
}

function hearBlock(block: Record<string, unknown>, from: 'user' | 'model'): HeardPart[] {
  switch (block.type) {
    case 'text':
      return [{ from, text: String(block.text) }]
    case 'thinking':
      return [{ from: 'model', thought: String(block.thinking) }]
    case 'tool_use':
      return [{ from: 'model', call: String(block.name), input: block.input }]
    case 'image':
      return [{ from: 'user', image: sourceOf(fields(block.source)) }]
    case 'document':
      return [{ from: 'user', file: sourceOf(fields(block.source)) }]
    case 'tool_result': {
      const { content } = block
      if (typeof content === 'string') return [{ from: 'tool', result: content }]
      return list(content).map((part) =>
        part.type === 'image'
          ? { from: 'tool', image: sourceOf(fields(part.source)) }
          : { from: 'tool', result: String(part.text) },
      )
    }
    default:
      throw new Error(`an unknown block: ${JSON.stringify(block)}`)
  }
}

const sourceOf = ({ type, url, media_type, data }: Record<string, unknown>) =>
  type === 'url' ? String(url) : `data:${media_type};base64,${data}`

function hearChoice({ type, name }: Record<string, unknown>): Heard['choice'] {
  if (type === 'any') return 'required'
  if (type === 'tool') return { only: [String(name)] }
  return type === 'none' ? 'none' : 'auto'
}
