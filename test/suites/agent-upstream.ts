/**
 * A Chat Completions upstream that plays a coding agent's model: it asks for one shell command, and when it sees that
 * command's output it says so and stops. As strict as chat-only engines are: what they refuse, it refuses.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

export type AgentUpstream = {
  /** With `/v1`. */
  readonly baseUrl: string
  /** Bodies of the calls so far. */
  readonly calls: readonly ChatRequest[]
  close(): Promise<void>
}

export type ChatRequest = {
  readonly model: string
  readonly stream?: boolean
  readonly messages: readonly { readonly role: string; readonly content: unknown }[]
  readonly tools?: readonly { readonly type: string; readonly function?: ChatFunction }[]
}
type ChatFunction = { readonly name: string; readonly parameters?: { readonly properties?: object } }

/** The shell tools that agents offer, with the argument that holds the command. */
const SHELL_TOOLS: Readonly<Record<string, string>> = { exec_command: 'cmd', shell_command: 'command' }
const KNOWN_ROLES: ReadonlySet<string> = new Set(['system', 'user', 'assistant', 'tool'])

export const FINAL_TEXT = 'The file is written.'

export async function startAgentUpstream(command: string): Promise<AgentUpstream> {
  const calls: ChatRequest[] = []
  const server = createServer((request, response) => {
    void answer(request, response, command, calls).catch((error: unknown) => refuse(response, String(error)))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port was given')
  return {
    baseUrl: `http://127.0.0.1:${address.port}/v1`,
    calls,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  command: string,
  calls: ChatRequest[],
): Promise<void> {
  if (request.method === 'GET' && request.url === '/v1/models') {
    response.setHeader('content-type', 'application/json')
    return void response.end(JSON.stringify({ object: 'list', data: [{ id: 'coder', object: 'model' }] }))
  }
  let text = ''
  for await (const data of request.setEncoding('utf8')) text += data
  const body: ChatRequest = JSON.parse(text)
  calls.push(body)
  const fault = whyRefused(body)
  if (fault !== null) return refuse(response, fault)
  send(response, body.messages.at(-1)?.role === 'tool' ? textReply() : callReply(body, command))
}

/** Faults that real chat-only engines answer with a 400. */
function whyRefused(body: ChatRequest): string | null {
  const role = body.messages.find((it) => !KNOWN_ROLES.has(it.role))?.role
  if (role !== undefined) return `unknown role "${role}"`
  if (body.tools?.length === 0) return 'tools must not be empty'
  const tool = body.tools?.find((it) => it.type !== 'function')
  return tool === undefined ? null : `unknown tool type "${tool.type}"`
}

function refuse(response: ServerResponse, message: string): void {
  response.writeHead(400, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ error: { message, type: 'invalid_request_error', param: null, code: null } }))
}

function callReply(body: ChatRequest, command: string): object[] {
  const offered = body.tools?.map((it) => it.function?.name ?? '') ?? []
  const name = offered.find((it) => SHELL_TOOLS[it] !== undefined)
  const argument = SHELL_TOOLS[name ?? '']
  if (name === undefined || argument === undefined) throw new Error(`no shell among the tools: ${offered.join(', ')}`)
  const call = { index: 0, id: 'call_shell', type: 'function', function: { name, arguments: '' } }
  return [
    { delta: { role: 'assistant', content: null, tool_calls: [call] } },
    { delta: { tool_calls: [{ index: 0, function: { arguments: JSON.stringify({ [argument]: command }) } }] } },
    { delta: {}, finish_reason: 'tool_calls' },
  ]
}

const textReply = (): object[] => [
  { delta: { role: 'assistant', content: '' } },
  { delta: { content: FINAL_TEXT } },
  { delta: {}, finish_reason: 'stop' },
]

function send(response: ServerResponse, choices: readonly object[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const common = { id: 'chatcmpl-agent', object: 'chat.completion.chunk', created: 1, model: 'coder' }
  for (const choice of choices) {
    const chunk = { ...common, choices: [{ index: 0, finish_reason: null, ...choice }] }
    response.write(`data: ${JSON.stringify(chunk)}\n\n`)
  }
  const usage = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 }
  response.write(`data: ${JSON.stringify({ ...common, choices: [], usage })}\n\n`)
  response.end('data: [DONE]\n\n')
}
