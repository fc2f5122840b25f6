/** Chat Completions. */
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

const CHUNK = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm' }
const FINISH = { done: 'stop', length: 'length', filtered: 'content_filter' }

const FAILURES: Readonly<Record<Failure, readonly [number, object]>> = {
  overloaded: [503, { message: 'Overloaded', type: 'server_error' }],
  rate_limit: [429, { message: 'Slow down', type: 'rate_limit_error', code: 'rate_limit_exceeded' }],
  bad_key: [401, { message: 'Incorrect API key', type: 'invalid_request_error', code: 'invalid_api_key' }],
  no_model: [404, { message: 'No such model', type: 'invalid_request_error', code: 'model_not_found' }],
  too_long: [400, { message: 'maximum context length is 10 tokens', code: 'context_length_exceeded' }],
  invalid: [400, { message: 'temperature is too hot', type: 'invalid_request_error', param: 'temperature' }],
  broken: [500, { message: 'boom', type: 'server_error' }],
}

export const chat: Wire = {
  name: 'Chat Completions',
  api: 'chat',
  base: '/v1',
  signed: () => null,
  declines: false,
  asks: (path) => path === '/v1/chat/completions',
  hear: ({ body }) => hear(body),
  say({ says, ends = 'done', spent = SPENT }) {
    const frames: string[] = []
    const chunk = (delta: object, more: object = {}) =>
      frames.push(
        `data: ${JSON.stringify({ ...CHUNK, choices: [{ index: 0, delta, finish_reason: null, ...more }] })}\n\n`,
      )
    let calls = 0
    chunk({ role: 'assistant', content: '' })
    for (const said of says) {
      if ('text' in said) for (const content of pieces(said.text)) chunk({ content })
      else if ('thought' in said) for (const piece of pieces(said.thought)) chunk({ reasoning_content: piece })
      else {
        const index = calls++
        chunk({
          tool_calls: [{ index, id: `call_${index}`, type: 'function', function: { name: said.call, arguments: '' } }],
        })
        for (const piece of pieces(JSON.stringify(said.input)))
          chunk({ tool_calls: [{ index, function: { arguments: piece } }] })
      }
    }
    chunk({}, { finish_reason: calls > 0 && ends === 'done' ? 'tool_calls' : FINISH[ends] })
    const usage = {
      prompt_tokens: spent.input,
      completion_tokens: spent.output,
      total_tokens: spent.input + spent.output,
      prompt_tokens_details: { cached_tokens: spent.cached },
      completion_tokens_details: { reasoning_tokens: spent.thoughts },
    }
    frames.push(`data: ${JSON.stringify({ ...CHUNK, choices: [], usage })}\n\n`, 'data: [DONE]\n\n')
    return eventStream(frames)
  },
  fail(failure) {
    const [status, error] = FAILURES[failure]
    return json(status, { error })
  },
  other: () => json(200, { object: 'list', data: [{ id: 'model-1', object: 'model', created: 1, owned_by: 'x' }] }),
}

function hear(body: Readonly<Record<string, unknown>>): Heard {
  const messages = list(body.messages)
  const system = messages.filter(({ role }) => role === 'system' || role === 'developer')
  const format = fields(body.response_format)
  return {
    model: String(body.model),
    system: system.map(({ content }) => textOf(content)).join('\n'),
    parts: messages.flatMap(hearMessage),
    tools: list(body.tools).map((tool) => {
      const { name, parameters } = fields(tool.function)
      return { name: String(name), schema: parameters }
    }),
    choice: hearChoice(body.tool_choice),
    schema: format.type === 'json_schema' ? fields(format.json_schema).schema : null,
    maxTokens: numberOrNull(body.max_completion_tokens ?? body.max_tokens),
    temperature: numberOrNull(body.temperature),
    stop: Array.isArray(body.stop) ? body.stop : [],
  }
}

const textOf = (content: unknown): string =>
  typeof content === 'string'
    ? content
    : list(content)
        .map(({ text }) => String(text ?? ''))
        .join('\n')

function hearMessage({ role, content, tool_calls, reasoning_content }: Record<string, unknown>): HeardPart[] {
  if (role === 'tool') return [{ from: 'tool', result: textOf(content) }]
  if (role === 'user') return hearContent(content)
  if (role !== 'assistant') return []
  return [
    ...(typeof reasoning_content === 'string' ? [{ from: 'model' as const, thought: reasoning_content }] : []),
    ...(textOf(content) === '' ? [] : [{ from: 'model' as const, text: textOf(content) }]),
    ...list(tool_calls).map((call) => {
      const { name, arguments: input } = fields(call.function)
      return { from: 'model' as const, call: String(name), input: JSON.parse(String(input)) }
    }),
  ]
}

function hearContent(content: unknown): HeardPart[] {
  if (typeof content === 'string') return [{ from: 'user', text: content }]
  return list(content).map((part): HeardPart => {
    if (part.type === 'image_url') return { from: 'user', image: String(fields(part.image_url).url) }
    if (part.type === 'file') return { from: 'user', file: String(fields(part.file).file_data) }
    return { from: 'user', text: String(part.text) }
  })
}

function hearChoice(choice: unknown): Heard['choice'] {
  if (choice === 'none' || choice === 'required') return choice
  const { type, function: called, allowed_tools } = fields(choice)
  if (type === 'function') return { only: [String(fields(called).name)] }
  if (type !== 'allowed_tools') return 'auto'
  return { only: list(fields(allowed_tools).tools).map((tool) => String(fields(tool.function).name)) }
}
