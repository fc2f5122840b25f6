/** The ways to ask for a response, and what the end of a fault must look like on each. */
import assert from 'node:assert/strict'
import { framesOf, type Reply, send } from '../support/http.ts'
import type { TestServer } from '../support/server.ts'
import { connectSocket, type SocketEvent } from '../support/socket-client.ts'
import type { Outcome } from './hostile-fault.ts'

export const TRANSPORTS = ['json', 'sse', 'socket'] as const
export type Transport = (typeof TRANSPORTS)[number]

/** What a caller was told. */
export type Told = {
  /** All of it, headers too. */
  readonly text: string
  /** From the request to the end of the reply. */
  readonly tookMs: number
  /** Throws when it is not this end. */
  readonly check: (outcome: Outcome) => void
}

const TERMINAL = /^response\.(completed|failed|incomplete)$/

export function ask(server: TestServer, transport: Transport, body: object): Promise<Told> {
  return transport === 'socket'
    ? askBySocket(server, body)
    : askByHttp(server, { ...body, stream: transport === 'sse' })
}

async function askByHttp(server: TestServer, body: { readonly stream: boolean }): Promise<Told> {
  const began = performance.now()
  const reply = await send(server, 'POST', '/v1/responses', body)
  return {
    text: `${JSON.stringify(reply.headers)}${reply.text}`,
    tookMs: performance.now() - began,
    check: (outcome) => (body.stream ? checkStream(reply, outcome) : checkJson(reply, outcome)),
  }
}

/** The socket must have nothing more to say after the end, and go on working. */
async function askBySocket(server: TestServer, body: object): Promise<Told> {
  const client = await connectSocket(server)
  const began = performance.now()
  const events = await client.turn(body)
  const tookMs = performance.now() - began
  const next = await client.turn({ model: 'demo', store: false, generate: false, input: [] })
  await client.close()
  return {
    text: JSON.stringify(events),
    tookMs,
    check(outcome) {
      checkEvents(events, outcome)
      checkEvents(next, { end: 'completed' })
    },
  }
}

function checkJson(reply: Reply, outcome: Outcome): void {
  if (outcome.end !== 'failed') {
    assert.equal(reply.status, 200, reply.text.slice(0, 300))
    checkAnswer(reply.json, outcome)
    return
  }
  assert.equal(reply.status, outcome.status, reply.text.slice(0, 300))
  const error = reply.json.error as Record<string, unknown>
  assert.deepEqual(Object.keys(error).sort(), ['code', 'message', 'param', 'type'])
  assert.equal(error.code, outcome.code)
  assert.match(String(reply.headers['x-request-id']), /^req_/)
  if (outcome.status >= 500) assert.equal(reply.headers['x-should-retry'], 'false')
  if (outcome.status === 429) assert.equal(reply.headers['x-should-retry'], 'true')
}

function checkStream(reply: Reply, outcome: Outcome): void {
  assert.equal(reply.status, 200)
  const frames = framesOf(reply.text)
  const events: readonly SocketEvent[] = frames.slice(0, -1).map(({ data }) => JSON.parse(data))
  assert.equal(frames.at(-1)?.data, '[DONE]')
  assert.equal(frames.filter(({ data }) => data === '[DONE]').length, 1)
  assert.deepEqual(
    frames.slice(0, -1).map(({ event }) => event),
    events.map(({ type }) => type),
  )
  checkEvents(events, outcome)
}

/** Numbered from 0, and one terminal event, the last. */
function checkEvents(events: readonly SocketEvent[], outcome: Outcome): void {
  assert.deepEqual(
    events.map((event) => event.sequence_number),
    events.map((_, index) => index),
  )
  assert.deepEqual(
    events.map(({ type }) => type).filter((type) => TERMINAL.test(type) || type === 'error'),
    [`response.${outcome.end}`],
  )
  const { response } = events.at(-1) ?? {}
  assert.ok(response, 'the terminal event is the last')
  checkAnswer(response, outcome)
}

function checkAnswer(response: Record<string, unknown>, outcome: Outcome): void {
  assert.equal(response.status, outcome.end)
  const output = response.output as { status: string; content?: { text?: string }[] }[]
  for (const item of output) assert.notEqual(item.status, 'in_progress')
  if (outcome.end === 'failed') {
    const { code } = response.error as { code: string }
    assert.equal(code, outcome.status === 429 ? 'rate_limit_exceeded' : 'server_error')
    return
  }
  if (outcome.text !== undefined) assert.equal(output.at(-1)?.content?.[0]?.text, outcome.text)
  const usage = response.usage as Record<string, number>
  for (const field of ['input_tokens', 'output_tokens', 'total_tokens']) {
    assert.ok(Number.isSafeInteger(usage[field]) && (usage[field] ?? -1) >= 0, `${field} is ${usage[field]}`)
  }
}
