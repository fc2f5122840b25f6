/** Requests that carry a canary in every field and header, to success and to every way of failing. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { ScriptedReply } from '../fakes/chat-script.ts'
import type { Canaries } from './canaries.ts'
import { openExchange } from './exchange.ts'

type Server = { readonly url: string; readonly apiKey: string }
type Call = {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}
export type CanaryReply = { readonly status: number; readonly text: string; readonly headers: string }

/** Ways of an upstream to fail, by the name of the model; each tells all it was given. */
export const UPSTREAM_FAILURES: Readonly<Record<string, ScriptedReply>> = {
  ...Object.fromEntries(
    [307, 400, 401, 403, 404, 409, 413, 422, 429, 500, 503].map((status) => [`s${status}`, { status }]),
  ),
  html: { status: 502, headers: { 'content-type': 'text/html' } },
  cut: { stopAt: 300, stopBy: 'reset' },
  end: { stopAt: 300, stopBy: 'end' },
  hang: { stopAt: 10, stopBy: 'hang' },
  garbage: {},
  'stream-error': {},
}

/** A body with a canary in every field that takes one. */
export function fullBody(canaries: Canaries, model: string): Record<string, unknown> {
  return {
    model,
    instructions: canaries.instructions,
    input: [
      { role: 'assistant', content: [{ type: 'output_text', text: canaries['earlier answer'] }] },
      {
        type: 'function_call',
        call_id: 'call_1',
        name: 'lookup',
        arguments: JSON.stringify({ q: canaries['tool arguments'] }),
      },
      { type: 'function_call_output', call_id: 'call_1', output: canaries['tool output'] },
      { role: 'user', content: [{ type: 'input_text', text: canaries.prompt }] },
    ],
    tools: [
      {
        type: 'function',
        name: 'lookup',
        description: canaries['tool description'],
        parameters: { type: 'object', properties: { q: { type: 'string', description: canaries['schema text'] } } },
      },
    ],
    metadata: { note: canaries.metadata },
    client_metadata: { note: canaries['client metadata'] },
    user: canaries.user,
    safety_identifier: canaries['safety identifier'],
    prompt_cache_key: canaries['cache key'],
  }
}

const image = (canaries: Canaries) => ({
  type: 'input_image',
  image_url: `https://name:${canaries['image url credentials']}@example.com/a.png`,
})
const file = (canaries: Canaries) => ({
  type: 'input_file',
  filename: `${canaries['file name']}.txt`,
  file_data: `data:text/plain;base64,${Buffer.from(canaries['file text']).toString('base64')}`,
})

/** Bodies of `POST /v1/responses`: what goes well first, then what is refused or fails. */
export function bodiesOf(canaries: Canaries): readonly Record<string, unknown>[] {
  const full = fullBody(canaries, 'up/ok')
  const user = (content: unknown) => [{ role: 'user', content }]
  return [
    full,
    { ...full, model: 'demo' },
    { ...full, model: 'up/ok', input: user([{ type: 'input_text', text: canaries.prompt }, image(canaries)]) },
    { ...full, model: 'demo', input: user([file(canaries), image(canaries)]) },
    { ...full, input: user([file(canaries)]) },
    ...Object.keys(UPSTREAM_FAILURES)
      .filter((name) => name !== 'hang')
      .map((name) => ({ ...full, model: `up/${name}` })),
    { ...full, model: 'dead/any' },
    { ...full, model: 'no-such-provider/any' },
    { ...full, previous_response_id: `resp_${canaries['previous id']}` },
    { ...full, previous_response_id: canaries['previous id'] },
    { ...full, conversation: canaries['previous id'] },
    { ...full, [canaries['unknown field']]: canaries['unknown field'] },
    { ...full, input: { text: canaries.prompt } },
    { ...full, input: [{ type: canaries['invalid value'], role: 'user', content: canaries.prompt }] },
    { ...full, input: [{ type: 'item_reference', id: canaries['previous id'] }] },
    { ...full, input: [{ type: 'reasoning', summary: [], encrypted_content: canaries['sealed reasoning'] }] },
    { ...full, input: [{ type: 'function_call_output', call_id: 'call_9', output: canaries['tool output'] }] },
    { ...full, metadata: { note: { deep: canaries.metadata } } },
    { ...full, metadata: canaries.metadata },
    { ...full, user: [canaries.user] },
    { ...full, safety_identifier: canaries['safety identifier'].repeat(3) },
    { ...full, prompt_cache_key: canaries['cache key'].repeat(3) },
    { ...full, tools: [{ type: 'function', name: `${canaries['tool description']} !`, description: 1 }] },
    { ...full, tools: [{ type: 'mcp', server_label: 'x', authorization: canaries['key in the query'] }] },
    { ...full, tool_choice: { type: 'function', name: canaries['invalid value'] } },
    { ...full, text: { format: { type: 'json_schema', name: 'x', schema: { type: canaries['schema text'] } } } },
    { ...full, temperature: canaries.prompt },
    { ...full, reasoning: { effort: canaries['invalid value'] } },
    { ...full, background: true },
  ]
}

/** Everything else a client can say: other routes, headers, and what is no request at all. */
export function callsOf(canaries: Canaries): readonly Call[] {
  const json = { 'content-type': 'application/json' }
  const body = JSON.stringify(fullBody(canaries, 'demo'))
  const create = (headers: Record<string, string>, text = body): Call => ({
    method: 'POST',
    path: '/v1/responses',
    headers: { ...json, ...headers },
    body: text,
  })
  const id = `resp_${canaries['previous id']}`
  return [
    create({ authorization: `Bearer ${canaries['bad bearer key']}` }),
    create({ authorization: `Basic ${Buffer.from(`x:${canaries['bad basic key']}`).toString('base64')}` }),
    create({ authorization: canaries['bad bearer key'] }),
    create({ authorization: '', 'x-api-key': canaries['bad bearer key'] }),
    create({ cookie: `session=${canaries.cookie}`, 'user-agent': canaries['user agent'] }),
    create({
      'x-client-request-id': `${canaries['client request id']} <b>`,
      'openai-organization': canaries.organization,
    }),
    create({ 'session-id': `${canaries['client request id']} <b>`, 'openai-project': canaries.organization }),
    create({ origin: `https://${canaries.origin}.example.com` }),
    create({ host: `${canaries.host}.example.com` }),
    create({ 'content-type': `text/${canaries['broken body']}` }),
    create({ 'content-encoding': canaries['broken body'] }),
    create({}, `{"model":"demo","input":"${canaries['broken body']}`),
    create({}, `{"model":"demo",${canaries['broken body']}}`),
    create({}, `["${canaries['broken body']}"]`),
    create({ 'x-large': canaries.prompt.repeat(600) }),
    { path: `/v1/responses/${id}` },
    { path: `/v1/responses/${id}?include=${canaries['query value']}` },
    { path: `/v1/responses/${id}/input_items?order=${canaries['query value']}&after=${canaries['query value']}` },
    { path: `/v1/models?api_key=${canaries['key in the query']}`, headers: { authorization: '' } },
    { path: `/v1/models/${canaries.path}` },
    { path: `/${canaries.path}/x?token=${canaries['key in the query']}` },
    { path: `/v1/responses/%${canaries.path}` },
    { method: 'DELETE', path: `/v1/responses/${id}` },
    { method: 'POST', path: `/v1/responses/${id}/cancel` },
    { method: 'PATCH', path: `/v1/responses/${id}` },
    { method: 'POST', path: '/v1/responses/input_tokens', headers: json, body },
    { method: 'POST', path: '/v1/embeddings', headers: json, body },
  ]
}

export async function sendBody(server: Server, body: object): Promise<CanaryReply> {
  return sendCall(server, {
    method: 'POST',
    path: '/v1/responses',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

/** By hand over a socket, because a client library would refuse half of this. */
export async function sendCall(server: Server, call: Call): Promise<CanaryReply> {
  const { method = 'GET', path, headers = {}, body = '' } = call
  const all = { host: '127.0.0.1', authorization: `Bearer ${server.apiKey}`, connection: 'close', ...headers }
  const lines = Object.entries(all)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}: ${value}`)
  const length = body === '' ? [] : [`content-length: ${Buffer.byteLength(body)}`]
  return sendRaw(server, `${[`${method} ${path} HTTP/1.1`, ...lines, ...length].join('\r\n')}\r\n\r\n${body}`)
}

export async function sendRaw(server: Server, bytes: string): Promise<CanaryReply> {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  let text = ''
  socket.setEncoding('utf8').on('data', (piece) => {
    text += piece
  })
  socket.on('error', () => {})
  socket.write(bytes)
  await once(socket, 'close')
  const [headers = ''] = text.split('\r\n\r\n', 1)
  return { status: Number(headers.slice(9, 12)), headers, text: text.slice(headers.length) }
}

/** A client that leaves while its upstream hangs. */
export async function leaveHanging(server: Server, canaries: Canaries, stream: boolean): Promise<void> {
  const exchange = openExchange(server, { ...fullBody(canaries, 'up/hang'), stream, store: false })
  await delay(100)
  exchange.leave('rst')
  await exchange.ended
}
