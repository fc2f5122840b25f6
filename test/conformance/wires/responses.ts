/** A provider that speaks Responses itself. */
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
  type Said,
  SPENT,
  type Wire,
} from '../said.ts'

const FAILURES: Readonly<Record<Failure, readonly [number, object]>> = {
  overloaded: [503, { message: 'Overloaded', type: 'server_error', code: 'server_is_overloaded', param: null }],
  rate_limit: [429, { message: 'Slow down', type: 'rate_limit_error', code: 'rate_limit_exceeded', param: null }],
  bad_key: [401, { message: 'Incorrect API key', type: 'invalid_request_error', code: 'invalid_api_key', param: null }],
  no_model: [400, { message: 'No such model', type: 'invalid_request_error', code: 'model_not_found', param: 'model' }],
  too_long: [400, { message: 'too long for the context window', code: 'context_length_exceeded', param: 'input' }],
  invalid: [
    400,
    { message: 'temperature is too hot', type: 'invalid_request_error', param: 'temperature', code: null },
  ],
  broken: [500, { message: 'boom', type: 'server_error', code: 'server_error', param: null }],
}

export const responses: Wire = {
  name: 'Responses',
  api: 'responses',
  base: '/v1',
  signed: ({ signature }) => signature,
  declines: false,
  asks: (path) => path === '/v1/responses',
  hear: ({ body }) => hear(body),
  say({ says, ends = 'done', spent = SPENT }) {
    const frames: string[] = []
    let sequence_number = 0
    const event = (type: string, data: object) =>
      frames.push(`event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence_number++, ...data })}\n\n`)
    const output: object[] = []
    const response = (status: string, more: object = {}) => ({
      response: { id: 'resp_up', object: 'response', created_at: 1, model: 'm', status, output, error: null, ...more },
    })
    event('response.created', response('in_progress'))
    event('response.in_progress', response('in_progress'))
    says.forEach((said, output_index) => {
      const cut = ends === 'length' && output_index === says.length - 1
      output.push(sayItem(said, { output_index, status: cut ? 'incomplete' : 'completed' }, event))
    })
    const usage = {
      input_tokens: spent.input,
      input_tokens_details: { cached_tokens: spent.cached },
      output_tokens: spent.output,
      output_tokens_details: { reasoning_tokens: spent.thoughts },
      total_tokens: spent.input + spent.output,
    }
    if (ends === 'done') event('response.completed', response('completed', { usage, incomplete_details: null }))
    else {
      const reason = ends === 'length' ? 'max_output_tokens' : 'content_filter'
      event('response.incomplete', response('incomplete', { usage, incomplete_details: { reason } }))
    }
    return eventStream(frames)
  },
  fail(failure) {
    const [status, error] = FAILURES[failure]
    return json(status, { error })
  },
  other: ({ path }) =>
    path.endsWith('/input_tokens')
      ? json(200, { object: 'response.input_tokens', input_tokens: 20 })
      : json(200, { object: 'list', data: [{ id: 'model-1', object: 'model', created: 1, owned_by: 'x' }] }),
}

type Emit = (type: string, data: object) => void

function sayItem(said: Said, { output_index, status }: { output_index: number; status: string }, event: Emit): object {
  const added = (item: object) => event('response.output_item.added', { output_index, item })
  const done = (item: object) => {
    event('response.output_item.done', { output_index, item })
    return item
  }
  if ('text' in said) {
    const at = { item_id: `msg_up${output_index}`, output_index, content_index: 0 }
    const item = { id: at.item_id, type: 'message', role: 'assistant' }
    const part = { type: 'output_text', text: said.text, annotations: [], logprobs: [] }
    added({ ...item, status: 'in_progress', content: [] })
    event('response.content_part.added', { ...at, part: { ...part, text: '' } })
    for (const delta of pieces(said.text)) event('response.output_text.delta', { ...at, delta, logprobs: [] })
    event('response.output_text.done', { ...at, text: said.text, logprobs: [] })
    event('response.content_part.done', { ...at, part })
    return done({ ...item, status, content: [part] })
  }
  if ('thought' in said) {
    const at = { item_id: `rs_up${output_index}`, output_index, summary_index: 0 }
    const item = { id: at.item_id, type: 'reasoning' }
    const part = { type: 'summary_text', text: said.thought }
    added({ ...item, summary: [] })
    event('response.reasoning_summary_part.added', { ...at, part: { ...part, text: '' } })
    for (const delta of pieces(said.thought)) event('response.reasoning_summary_text.delta', { ...at, delta })
    event('response.reasoning_summary_text.done', { ...at, text: said.thought })
    event('response.reasoning_summary_part.done', { ...at, part })
    return done({ ...item, summary: [part], encrypted_content: said.signature })
  }
  const at = { item_id: `fc_up${output_index}`, output_index }
  const item = { id: at.item_id, type: 'function_call', call_id: `call_up${output_index}`, name: said.call }
  const input = JSON.stringify(said.input)
  added({ ...item, status: 'in_progress', arguments: '' })
  for (const delta of pieces(input)) event('response.function_call_arguments.delta', { ...at, delta })
  event('response.function_call_arguments.done', { ...at, arguments: input })
  return done({ ...item, status, arguments: input })
}

function hear(body: Readonly<Record<string, unknown>>): Heard {
  const items = list(typeof body.input === 'string' ? [{ role: 'user', content: body.input }] : body.input)
  const format = fields(fields(body.text).format)
  const developer = items.filter(({ role }) => role === 'developer' || role === 'system')
  return {
    model: String(body.model),
    system: [body.instructions ?? '', ...developer.flatMap(({ content }) => textsOf(content))]
      .filter(Boolean)
      .join('\n'),
    parts: items.filter((item) => !developer.includes(item)).flatMap(hearItem),
    tools: list(body.tools).map(({ name, parameters }) => ({ name: String(name), schema: parameters })),
    choice: hearChoice(body.tool_choice),
    schema: format.type === 'json_schema' ? format.schema : null,
    maxTokens: numberOrNull(body.max_output_tokens),
    temperature: numberOrNull(body.temperature),
    stop: Array.isArray(body.stop) ? body.stop : [],
  }
}

const textsOf = (content: unknown): string[] =>
  typeof content === 'string' ? [content] : list(content).map(({ text }) => String(text))

function hearItem(item: Record<string, unknown>): HeardPart[] {
  if (item.type === 'function_call') {
    return [{ from: 'model', call: String(item.name), input: JSON.parse(String(item.arguments)) }]
  }
  if (item.type === 'function_call_output') {
    return typeof item.output === 'string' ? [{ from: 'tool', result: item.output }] : hearParts(item.output, 'tool')
  }
  if (item.type === 'reasoning')
    return [
      {
        from: 'model',
        thought: list(item.summary)
          .map(({ text }) => text)
          .join(''),
      },
    ]
  if (item.role === 'assistant') return textsOf(item.content).map((text) => ({ from: 'model', text }))
  return typeof item.content === 'string' ? [{ from: 'user', text: item.content }] : hearParts(item.content, 'user')
}

const hearParts = (content: unknown, from: 'user' | 'tool'): HeardPart[] =>
  list(content).map((part) => {
    if (part.type === 'input_image') return { from, image: String(part.image_url) }
    if (part.type === 'input_file') return { from, file: String(part.file_data ?? part.file_url) }
    return from === 'tool' ? { from, result: String(part.text) } : { from, text: String(part.text) }
  })

function hearChoice(choice: unknown): Heard['choice'] {
  if (choice === 'none' || choice === 'required') return choice
  const { type, name, tools } = fields(choice)
  if (type === 'function') return { only: [String(name)] }
  return type === 'allowed_tools' ? { only: list(tools).map((tool) => String(tool.name)) } : 'auto'
}
