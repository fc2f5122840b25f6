/** The way to the upstream breaks: refused, reset, mute, slow, cut, corrupt. And it comes back, without a restart. */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { type ChatUpstream, startChatUpstream, waitUntil } from '../fakes/chat-upstream.ts'
import { framesOf, type Reply, send } from '../support/http.ts'
import type { TestServer } from '../support/server.ts'
import { type Fault, type FaultProxy, startFaultProxy } from './fault-proxy.ts'
import { announceSeed, isFull, seededRandom, withinMs } from './seed.ts'
import { readLedger, startFastServer, TIMES } from './upstream-fixture.ts'

const GRACE_MS = withinMs(1_000)
const CORRUPT_ROUNDS = isFull ? 300 : 30

let upstream: ChatUpstream
let proxy: FaultProxy
let server: TestServer
before(async (t) => {
  upstream = await startChatUpstream()
  const seed = 'diagnostic' in t ? announceSeed(t) : 1
  proxy = await startFaultProxy({ targetPort: upstream.port, random: seededRandom(seed) })
  server = await startFastServer(proxy)
  assert.equal((await ask('before', true)).status, 200)
})
afterEach(async () => {
  await proxy.set({ type: 'pass' })
})
after(async () => {
  await proxy.close()
  await upstream.close()
  await server.close()
})

/** `model`: new for each use, because the ledger is asked by it. */
const ask = (model: string, stream: boolean) =>
  send(server, 'POST', '/v1/responses', { model: `upstream/${model}`, input: 'Say hello.', stream })

type Case = {
  readonly name: string
  readonly fault: Fault
  readonly status: number
  /** Milliseconds until its clock. */
  readonly due: number
  readonly attempts: readonly [least: number, most: number]
}

const CASES: readonly Case[] = [
  { name: 'refused', fault: { type: 'refuse' }, status: 502, due: 0, attempts: [1, 3] },
  { name: 'reset', fault: { type: 'reset' }, status: 502, due: 0, attempts: [1, 1] },
  { name: 'swallowed', fault: { type: 'blackhole' }, status: 504, due: TIMES.firstByte, attempts: [1, 1] },
  { name: 'half-open', fault: { type: 'halfOpen' }, status: 504, due: TIMES.firstByte, attempts: [1, 1] },
  { name: 'cut in its head', fault: { type: 'cutAfter', bytes: 30, by: 'fin' }, status: 502, due: 0, attempts: [1, 1] },
  {
    name: 'cut in its body',
    fault: { type: 'cutAfter', bytes: 400, by: 'fin' },
    status: 502,
    due: 0,
    attempts: [1, 1],
  },
  {
    name: 'reset in its body',
    fault: { type: 'cutAfter', bytes: 400, by: 'rst' },
    status: 502,
    due: 0,
    attempts: [1, 1],
  },
]

for (const { name, fault, status, due, attempts } of CASES) {
  test(`a connection that is ${name} fails the response in time, and the next one works`, async () => {
    for (const stream of [true, false]) {
      const model = `${name.replaceAll(' ', '-')}-${stream}`
      // Connections of earlier calls would hide what happens to a new one.
      await proxy.set({ type: 'refuse' })
      await proxy.set(fault)
      const began = performance.now()
      const reply = await ask(model, stream)
      const took = performance.now() - began
      if (stream) checkFailedStream(reply)
      else assert.equal(reply.status, status, reply.text)
      assert.ok(took >= due * 0.9 && took < due + GRACE_MS, `${took} ms, its clock is ${due} ms`)
      await waitUntil(() => proxy.openSockets() === 0, GRACE_MS)
      const rows = readLedger(server, model).outcomes
      assert.ok(rows.length >= attempts[0] && rows.length <= attempts[1], `${rows.length} usage rows`)
      await proxy.set({ type: 'pass' })
      assert.equal((await ask(`${model}-after`, false)).status, 200)
    }
  })
}

function checkFailedStream(reply: Reply): void {
  const frames = framesOf(reply.text)
  assert.deepEqual([frames.at(-2)?.event, frames.at(-1)?.data], ['response.failed', '[DONE]'], reply.text.slice(-500))
}

test('a slow connection is waited for as long as something comes', async () => {
  for (const fault of [
    { type: 'latency', ms: 60 },
    { type: 'throttle', bytesPerSecond: 4_000 },
  ] as const) {
    await proxy.set(fault)
    for (const stream of [true, false]) {
      const reply = await ask(`${fault.type}-${stream}`, stream)
      assert.equal(reply.status, 200)
      if (stream) assert.match(reply.text, /event: response\.completed/)
    }
  }
})

test('a corrupt connection ends every response, well or badly', async (t) => {
  const ends = new Map<string, number>()
  for (let round = 0; round < CORRUPT_ROUNDS; round += 1) {
    await proxy.set({ type: 'corrupt', share: round % 2 ? 0.002 : 0.02 })
    const stream = round % 3 !== 0
    const reply = await ask(`corrupt-${round}`, stream)
    if (reply.status !== 200) assert.equal(typeof reply.json.error, 'object', reply.text)
    if (reply.status === 200 && stream) assert.equal(framesOf(reply.text).at(-1)?.data, '[DONE]')
    const end = stream ? String(framesOf(reply.text).at(-2)?.event) : String(reply.status)
    ends.set(end, (ends.get(end) ?? 0) + 1)
  }
  t.diagnostic(`ends: ${[...ends].map(([end, count]) => `${end} ${count}`).join(', ')}`)
})
