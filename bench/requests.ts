/** The requests of the benchmark, and what a right reply to each looks like. */

import { buildRequest, type Reply } from './raw-client.ts'
import { PLAIN_TEXT, type ReplyName, STREAM_TEXT, STREAM_TOKENS } from './replies.ts'
import type { Target } from './targets.ts'

const PATH = '/v1/responses'

export const createRequest = (target: Target, reply: ReplyName, fields: object): Buffer =>
  buildRequest('POST', PATH, target.headers, { model: `${target.modelPrefix}${reply}`, ...fields })

export const getRequest = (target: Target, id: string): Buffer => buildRequest('GET', `${PATH}/${id}`, target.headers)

/** The same prompt straight to the upstream, to know what it costs without a server between. */
export const directRequest = (messages: readonly object[]): Buffer =>
  buildRequest('POST', '/v1/chat/completions', {}, { model: 'plain', messages, stream: true })

export type ResponseBody = {
  readonly id: string
  readonly status: string
  readonly output: readonly { readonly type: string; readonly content?: readonly { readonly text: string }[] }[]
}

export function checkPlain(reply: Reply): string {
  if (reply.status !== 200) throw new Error(`a reply with status ${reply.status}: ${reply.body.slice(0, 500)}`)
  return checkResponse(JSON.parse(reply.body), PLAIN_TEXT)
}

/** Answers the id. */
export function checkResponse(response: ResponseBody, text: string): string {
  const message = response.output.find((item) => item.type === 'message')
  if (response.status !== 'completed' || message?.content?.[0]?.text !== text) {
    throw new Error(`a reply that is not whole: ${JSON.stringify(response).slice(0, 500)}`)
  }
  return response.id
}

const DELTA = 'event: response.output_text.delta\n'
const COMPLETED = 'event: response.completed\ndata: '

/** One event per upstream token, the whole text at the end, and the stream's end mark. */
export function checkStream(reply: Reply): void {
  if (reply.status !== 200) throw new Error(`a stream with status ${reply.status}: ${reply.body.slice(0, 500)}`)
  let deltas = 0
  for (let at = reply.body.indexOf(DELTA); at !== -1; at = reply.body.indexOf(DELTA, at + 1)) deltas += 1
  if (deltas !== STREAM_TOKENS.length) throw new Error(`${deltas} deltas for ${STREAM_TOKENS.length} tokens`)
  checkResponse(terminalResponse(reply.body), STREAM_TEXT)
}

function terminalResponse(body: string): ResponseBody {
  const start = body.lastIndexOf(COMPLETED)
  const end = body.indexOf('\n\n', start)
  if (start === -1 || end === -1) throw new Error(`a stream without its last event: …${body.slice(-500)}`)
  if (!body.endsWith('data: [DONE]\n\n')) throw new Error(`a stream without its end mark: …${body.slice(-200)}`)
  const event: { response: ResponseBody } = JSON.parse(body.slice(start + COMPLETED.length, end))
  return event.response
}

/** For paced streams, whose text is times: that many tokens came, and the stream ended as it must. */
export function checkPaced(reply: Reply, tokens: number): void {
  const text = terminalResponse(reply.body).output.find((item) => item.type === 'message')?.content?.[0]?.text ?? ''
  const found = text.trim().split(' ').length
  if (reply.status !== 200 || found !== tokens) throw new Error(`${found} of ${tokens} tokens came`)
}

const AGENT_TOOL_TEXT = 'Reads a part of a file of the workspace and returns its lines with their numbers. '

/** 33 items and 8 tools, about 33 KB: a coding agent in the middle of its work. */
export function agentFields(): object {
  const turn = (n: number) => [
    { type: 'function_call', call_id: `call_${n}`, name: 'tool_1', arguments: `{"path":"src/file-${n}.ts","from":1}` },
    { type: 'function_call_output', call_id: `call_${n}`, output: 'const value = compute(input)\n'.repeat(50) },
  ]
  const question = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Mend the failing test.' }] }
  const tools = Array.from({ length: 8 }, (_, n) => ({
    type: 'function',
    name: `tool_${n}`,
    description: AGENT_TOOL_TEXT.repeat(6),
    strict: false,
    parameters: {
      type: 'object',
      properties: { path: { type: 'string', description: AGENT_TOOL_TEXT }, from: { type: 'integer' } },
      required: ['path'],
      additionalProperties: false,
    },
  }))
  return { store: false, tools, input: [question, ...Array.from({ length: 16 }, (_, n) => turn(n)).flat()] }
}
