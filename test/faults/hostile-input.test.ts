/** What hostile clients send to a real process: bombs, broken HTTP, slow senders, readers that do not read. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { request } from 'undici'
import { waitUntil } from '../fakes/chat-upstream.ts'
import { send } from '../support/http.ts'
import { type CrashRunner, createCrashRunner, type RunningServer } from './crash-runner.ts'
import { hostileBodies } from './hostile-bodies.ts'
import { type HostileUpstream, startHostileUpstream } from './hostile-upstream.ts'
import { text } from './hostile-wire.ts'
import { HTTP_ABUSE } from './http-abuse.ts'
import { exchange, type RawReply } from './raw-client.ts'
import { isFull, withinMs } from './seed.ts'
import { type Strain, watch } from './server-probe.ts'

const MIB = 1024 * 1024
/** What was measured is printed. */
const MAX_REPLY_MS = withinMs(3_000)
const MAX_OTHERS_WAIT_MS = withinMs(1_500)
/** Beyond its clock, which is looked at once a second. */
const MAX_KEPT_MS = withinMs(2_500)
const MAX_GROWTH_BYTES = 250 * MIB
const SLOW_SOCKETS = isFull ? 500 : 60
const HEADER_TIME_MS = 1_000
const BODY_TIME_MS = 2_000
const IDLE_MS = 1_000
const STALLED_READERS = isFull ? 100 : 50
const STALL_MS = 1_000
const BUFFER_BYTES = 64 * 1024
/** The server's heap. Buffers without a bound do not fit into it, and their process ends. */
const HEAP_MB = 300
/** The heap may be used up before anything is collected; sockets and code come on top. */
const MAX_STALLED_BYTES = (HEAP_MB + 100) * MIB
/** What an upstream could send for one of them; a pause that did not reach it would let it send without end. */
const MAX_SENT_PER_READER = 24 * MIB

let upstream: HostileUpstream
let runner: CrashRunner
let server: RunningServer
let port: number
let flooded = 0
before(async () => {
  const flood = text('word '.repeat(40)).repeat(20)
  upstream = await startHostileUpstream({
    play: (model) => {
      if (model !== 'flood') return null
      return async (reply) => {
        await reply.open()
        while (reply.isOpen()) {
          await reply.chunk(flood)
          flooded += flood.length
        }
      }
    },
  })
  runner = createCrashRunner(
    [
      `providers: { upstream: { type: openai_compatible, api_base: "${upstream.url}", api_key: k } }`,
      'limits:',
      '  requests_per_minute: 0',
      `  header_time: ${HEADER_TIME_MS}ms`,
      `  body_time: ${BODY_TIME_MS}ms`,
      `  idle_connection: ${IDLE_MS}ms`,
      `  stream_stall: ${STALL_MS}ms`,
      `  stream_buffer: ${BUFFER_BYTES / 1024}KB`,
      '  streams_per_project: 2000',
    ].join('\n'),
  )
  server = await runner.start({ NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}` })
  port = Number(new URL(server.url).port)
})
after(async () => {
  await upstream.close()
  const code = await server.stop()
  runner.dispose()
  assert.equal(code, 0, server.output())
  assert.doesNotMatch(server.output(), /unhandled|uncaught/i)
})

const describeStrain = ({ grownBytes, slowestMs }: Strain) =>
  `memory +${Math.round(grownBytes / MIB)} MB, others waited at most ${Math.round(slowestMs)} ms`

function checkEnvelope(text: string, what: string): void {
  const body: unknown = JSON.parse(text)
  assert.ok(typeof body === 'object' && body !== null && 'error' in body, what)
  assert.deepEqual(Object.keys(body.error ?? {}).sort(), ['code', 'message', 'param', 'type'], what)
}

test('bombs are refused quickly, and nobody else notices', async (t) => {
  // Built before anything is measured: building them keeps this process busy, and with it the clock it looks at.
  const bombs = [...hostileBodies()]
  const problems: string[] = []
  let slowest = { name: '', ms: 0 }
  const strain = await watch(server, async () => {
    for (const { name, body, statuses, encoding } of bombs) {
      const began = performance.now()
      const headers = {
        authorization: `Bearer ${server.apiKey}`,
        'content-type': 'application/json',
        ...(encoding !== undefined && { 'content-encoding': encoding }),
      }
      const reply = await request(`${server.url}/v1/responses`, { method: 'POST', headers, body }).catch(() => null)
      // A body that is refused by its announced length may be cut off while it is still being sent.
      if (reply === null) {
        if (!statuses.includes(413)) problems.push(`${name}: no reply`)
        continue
      }
      const told = await reply.body.text()
      const ms = performance.now() - began
      if (ms > slowest.ms) slowest = { name, ms }
      if (!statuses.includes(reply.statusCode)) problems.push(`${name}: ${reply.statusCode} ${told.slice(0, 200)}`)
      if (ms > MAX_REPLY_MS) problems.push(`${name}: ${Math.round(ms)} ms`)
      if (told.length > 4_096) problems.push(`${name}: the refusal has ${told.length} characters`)
      checkEnvelope(told, name)
    }
  })
  t.diagnostic(`${describeStrain(strain)}; slowest: ${slowest.name}, ${Math.round(slowest.ms)} ms`)
  assert.deepEqual(problems, [])
  assert.ok(strain.grownBytes < MAX_GROWTH_BYTES, describeStrain(strain))
})

test('broken HTTP gets exactly one reply, an error in our own form', async () => {
  const problems: string[] = []
  const check = async ([name, [bytes, ...statuses]]: readonly [string, readonly [string, ...number[]]]) => {
    const replies = await exchange(port, Buffer.from(bytes, 'latin1'))
    const problem = whyWrong(replies, statuses)
    if (problem !== null) problems.push(`${name}: ${problem}`)
  }
  for (const entry of Object.entries(HTTP_ABUSE)) await check(entry)
  assert.deepEqual(problems, [])
})

function whyWrong(replies: readonly RawReply[], statuses: readonly number[]): string | null {
  const [reply] = replies
  if (reply === undefined || replies.length !== 1) return `${replies.length} replies: ${replies.map((it) => it.status)}`
  if (!statuses.includes(reply.status)) return `status ${reply.status}: ${reply.body.slice(0, 200)}`
  if (!/^x-request-id: req_/im.test(reply.head)) return 'no x-request-id'
  if (reply.status >= 400) checkEnvelope(reply.body, String(reply.status))
  return null
}

test('a thousand requests in one write are answered one by one', async () => {
  const one = 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n'
  const last = 'GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
  const replies = await exchange(port, one.repeat(999) + last, 1_000)
  assert.equal(replies.length, 1_000)
  assert.ok(replies.every(({ status }) => status === 200))
})

test('hostile values of headers are echoed by no reply and break none', async () => {
  const values = ['a\u00e9', '\u00ff'.repeat(60), 'x'.repeat(8_000), '%0d%0aset-cookie: a=1', '"><script>', '{{7*7}}']
  for (const name of ['x-client-request-id', 'idempotency-key', 'session-id', 'user-agent', 'openai-organization']) {
    for (const value of values) {
      const bytes = `GET /v1/models HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${server.apiKey}\r\n${name}: ${value}\r\nConnection: close\r\n\r\n`
      const [reply, more] = await exchange(port, Buffer.from(bytes, 'latin1'))
      assert.equal(more, undefined)
      assert.ok(reply && [200, 400].includes(reply.status), `${name}: ${reply?.status} ${reply?.body}`)
      assert.ok(!reply.head.includes(value), `${name} came back`)
      assert.doesNotMatch(reply.head, /^set-cookie/im)
    }
  }
})

/** Opens sockets that send `first` and then a byte now and again; answers how long each was kept, in milliseconds. */
async function drip(count: number, first: string, everyMs: number): Promise<number[]> {
  const one = async () => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {}).resume()
    await once(socket, 'connect')
    const began = performance.now()
    socket.write(first)
    const timer = everyMs > 0 ? setInterval(() => socket.write('x'), everyMs) : undefined
    await once(socket, 'close')
    clearInterval(timer)
    return performance.now() - began
  }
  return Promise.all(Array.from({ length: count }, one))
}

test('slow senders and idle connections are closed by their clocks, and others do not wait for them', async (t) => {
  const head = 'POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'
  const authorized = `${head}Authorization: Bearer ${server.apiKey}\r\nContent-Length: 1000\r\n\r\n`
  const done = 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n'
  const kept: Record<string, number[]> = {}
  const strain = await watch(server, async () => {
    const [headers, bodies, idle] = await Promise.all([
      drip(SLOW_SOCKETS, `${head}x-slow: `, 100),
      drip(SLOW_SOCKETS, authorized, 100),
      drip(SLOW_SOCKETS, done, 0),
    ])
    Object.assign(kept, { headers, bodies, idle })
  })
  const longest = (name: string) => Math.round(Math.max(...(kept[name] ?? [0])))
  t.diagnostic(
    `kept at most: headers ${longest('headers')} ms, bodies ${longest('bodies')} ms, idle ${longest('idle')} ms; ${describeStrain(strain)}`,
  )
  assert.ok(longest('headers') < HEADER_TIME_MS + MAX_KEPT_MS)
  assert.ok(longest('bodies') < BODY_TIME_MS + MAX_KEPT_MS)
  assert.ok(longest('idle') < IDLE_MS + 1_000 + MAX_KEPT_MS)
  assert.ok(strain.slowestMs < MAX_OTHERS_WAIT_MS, describeStrain(strain))
})

function stalledReader(): Socket {
  const body = JSON.stringify({ model: 'upstream/flood', input: 'x', stream: true, store: false })
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {}).pause()
  socket.write(
    `POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${server.apiKey}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
  return socket
}

test('readers that do not read are cut off, cost their buffer and no more, and their upstreams are stopped', async (t) => {
  const sockets: Socket[] = []
  const strain = await watch(server, async () => {
    for (let index = 0; index < STALLED_READERS; index += 1) sockets.push(stalledReader())
    await waitUntil(() => upstream.callsOf('flood') === STALLED_READERS && upstream.busySockets() === 0, 120_000)
  })
  for (const socket of sockets) socket.destroy()
  const sent = flooded / STALLED_READERS
  t.diagnostic(`${STALLED_READERS} readers: ${describeStrain(strain)}, ${(sent / MIB).toFixed(1)} MB sent for each`)
  assert.ok(sent < MAX_SENT_PER_READER)
  assert.ok(strain.grownBytes < MAX_STALLED_BYTES, describeStrain(strain))
})

test('after all of that the process is the same and still serves', async () => {
  assert.equal((await send(server, 'GET', '/v1/models')).status, 200)
})
