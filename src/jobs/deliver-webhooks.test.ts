/** Real store, real sockets; the clock is turned by hand, so that three days pass in a second. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import OpenAI from 'openai'
import { createManualClock, type ManualClock } from '../../test/support/manual-clock.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { createOutboundGuard } from '../lib/outbound-guard.ts'
import { createWebhookSender } from '../lib/send-webhook.ts'
import { createSqliteStore } from '../store/sql/sqlite/sqlite-store.ts'
import type { Store } from '../store/store.ts'
import { record, running } from '../store/store-fixtures.contract.ts'
import type { AttemptEnd, DeliveryBatch, DueDelivery, WebhookQueue } from '../store/webhook-store.ts'
import { endOf, IDLE_MS, RETRY_DELAYS_MS, startWebhookDelivery } from './deliver-webhooks.ts'

const HOUR_MS = 3_600_000
const SECRET = 'a secret that both sides know'
const { webhooks: sdk } = new OpenAI({ apiKey: 'none' })

test('attempts go on for nearly three days, further and further apart, and then end', () => {
  const total = RETRY_DELAYS_MS.reduce((sum, delay) => sum + delay, 0)
  assert.ok(total > 64 * HOUR_MS && total <= 72 * HOUR_MS)
  assert.deepEqual(RETRY_DELAYS_MS.slice(0, 2), [5_000, 300_000])
  const last = RETRY_DELAYS_MS.length + 1
  const refused = { type: 'answered', status: 503 } as const
  assert.deepEqual(endOf(refused, 1, 1_000), {
    status: 'pending',
    at: 1_000,
    statusCode: 503,
    error: 'it answered 503',
    nextAttemptAt: 6_000,
  })
  assert.equal(endOf(refused, last - 1, 0).status, 'pending')
  assert.deepEqual([endOf(refused, last, 0).status, endOf(refused, last, 0).nextAttemptAt], ['failed', null])
})

test('only 2xx has arrived: a redirect has not, and no answer has not', () => {
  const statusOf = (status: number) => endOf({ type: 'answered', status }, 1, 0).status
  assert.deepEqual([200, 204, 299].map(statusOf), ['delivered', 'delivered', 'delivered'])
  assert.deepEqual([199, 301, 302, 307, 400, 410, 500].map(statusOf), Array(7).fill('pending'))
  const unanswered = endOf({ type: 'failed', reason: 'no' }, 1, 0)
  assert.deepEqual([unanswered.status, unanswered.statusCode, unanswered.error], ['pending', null, 'no'])
})

type Received = { readonly id: string; readonly type: string; readonly path: string }
type Bed = {
  readonly store: Store
  readonly url: string
  readonly received: Received[]
  /** What the receiver answers, by path. */
  readonly answers: Map<string, number>
  /** Paths that are never answered. */
  readonly silent: Set<string>
  /** Closed after the test, the last one first. */
  readonly opened: AsyncDisposableStack
}

/** A receiver that verifies what it gets as an application does. */
async function bed(t: TestContext): Promise<Bed> {
  const home = await mkdtemp(join(tmpdir(), 'antiphon-webhooks-'))
  const store = await createSqliteStore({ path: join(home, 'antiphon.db'), clock: systemClock })
  const received: Received[] = []
  const answers = new Map<string, number>()
  const silent = new Set<string>()
  const server = createServer(async (request, reply) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const path = request.url ?? ''
    if (silent.has(path)) return
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
    const event = await sdk.unwrap(Buffer.concat(chunks).toString(), headers, SECRET, Number.POSITIVE_INFINITY)
    received.push({ id: event.id, type: event.type, path })
    reply.writeHead(answers.get(path) ?? 200).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const opened = new AsyncDisposableStack()
  t.after(() => opened.disposeAsync())
  opened.defer(async () => {
    server.closeAllConnections()
    server.close()
    await store.close()
    await rm(home, { recursive: true })
  })
  return { store, url: `http://127.0.0.1:${port}`, received, answers, silent, opened }
}

function deliver({ store, url, opened }: Bed, clock: Clock, timeoutMs = 5_000) {
  const allowPrivateHosts = [new URL(url).host]
  const guard = createOutboundGuard({ allowPrivateHosts })
  const parts = { guard, clock: systemClock, allowPrivateHosts, userAgent: 'test', timeoutMs }
  const failures: unknown[] = []
  const queue = countHeld(store.webhooks)
  const delivery = startWebhookDelivery({
    queue,
    sender: createWebhookSender(parts),
    secretsOf: () => [SECRET],
    clock,
    telemetry: { failed: ({ error }) => failures.push(error) },
  })
  opened.defer(async () => {
    await delivery[Symbol.asyncDispose]()
    await guard.close()
    assert.deepEqual(failures, [])
  })
  return { wake: () => delivery.wake(), isIdle: () => queue.held === 0 }
}

/** What is taken and not settled: while there is any, the clock of this test must stand. */
function countHeld(queue: WebhookQueue): WebhookQueue & { held: number } {
  const counted = {
    ...queue,
    held: 0,
    async take(batch: DeliveryBatch) {
      counted.held += 1
      const taken = await queue.take(batch)
      counted.held += taken.length - 1
      return taken
    },
    async settle(delivery: DueDelivery, end: AttemptEnd) {
      await queue.settle(delivery, end)
      counted.held -= 1
    },
  }
  return counted
}

const addEndpoint = ({ store, url }: Bed, id: string) =>
  store.forProject('proj_a').webhooks.create(
    {
      id,
      name: id,
      url: `${url}/${id}`,
      eventTypes: ['response.completed'],
      secret: '',
      secretHint: '',
      previousSecret: null,
      previousUntil: null,
      configured: false,
      createdAt: 0,
      updatedAt: 0,
    },
    10,
  )

async function end(store: Store, name: string): Promise<void> {
  const project = store.forProject('proj_a')
  const event = { id: `evt_${name}`, type: 'response.completed', responseId: `resp_${name}` } as const
  await project.startResponse(running(event.responseId))
  const times = { createdAt: 1, expiresAt: 2_000_000_000 }
  await project.finishResponse(record(event.responseId), [], { turn: null, claim: null, event: { ...event, ...times } })
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let n = 0; n < 500; n++) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.fail('it did not come to it')
}

test('an event is signed, sent at once, arrives once, and is then settled', async (t) => {
  const it = await bed(t)
  await addEndpoint(it, 'whe_1')
  const delivery = deliver(it, systemClock)
  await end(it.store, 'one')
  delivery.wake()
  const { webhooks } = it.store.forProject('proj_a')
  await until(async () => (await webhooks.getDelivery('whe_1', 'evt_one'))?.status === 'delivered')
  assert.deepEqual(it.received, [{ id: 'evt_one', type: 'response.completed', path: '/whe_1' }])
  assert.equal(await it.store.webhooks.nextDueAt(), null)
})

test('a receiver that never answers holds up no other', async (t) => {
  const it = await bed(t)
  await addEndpoint(it, 'whe_dead')
  await addEndpoint(it, 'whe_live')
  it.silent.add('/whe_dead')
  const names = Array.from({ length: 12 }, (_, n) => `n${n}`)
  for (const name of names) await end(it.store, name)
  deliver(it, systemClock, 3_000).wake()
  await until(() => it.received.length === names.length)
  assert.deepEqual(it.received.map(({ id }) => id).sort(), names.map((name) => `evt_${name}`).sort())
})

test('a receiver that was down for a day gets every event, under the same id, and one that stays down is given up (req 169)', async (t) => {
  const it = await bed(t)
  const time = createManualClock()
  await addEndpoint(it, 'whe_back')
  await addEndpoint(it, 'whe_gone')
  it.answers.set('/whe_back', 503).set('/whe_gone', 500)
  await end(it.store, 'one')
  const { isIdle } = deliver(it, time.clock)
  const turnUntil = (holds: () => Promise<boolean>) => turnClock(time, isIdle, holds)
  const { webhooks } = it.store.forProject('proj_a')
  const attemptsOf = async (id: string) => (await webhooks.getDelivery(id, 'evt_one'))?.attempts
  const settled = async (id: string) => (await webhooks.getDelivery(id, 'evt_one'))?.status !== 'pending'
  await turnUntil(async () => (await attemptsOf('whe_back')) === 6)
  it.answers.set('/whe_back', 200)
  await turnUntil(async () => (await settled('whe_back')) && (await settled('whe_gone')))
  assert.equal((await webhooks.getDelivery('whe_back', 'evt_one'))?.status, 'delivered')
  const given = await webhooks.getDelivery('whe_gone', 'evt_one')
  assert.deepEqual([given?.status, given?.attempts, given?.lastStatusCode], ['failed', RETRY_DELAYS_MS.length + 1, 500])
  assert.ok(it.received.every(({ id }) => id === 'evt_one'))
})

/** Hour after hour, and never while an attempt is under way. */
async function turnClock(time: ManualClock, isIdle: () => boolean, holds: () => Promise<boolean>): Promise<void> {
  for (let n = 0; n < 400 && !(await holds()); n++) {
    await until(isIdle)
    time.advance(n % 2 === 0 ? IDLE_MS : HOUR_MS)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  assert.ok(await holds())
}
