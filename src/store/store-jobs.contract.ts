/** The laws of jobs: one owner, fenced; everything that belongs together in one transaction. */
import assert from 'node:assert/strict'
import type { ResponseEvent } from '../protocol/events.ts'
import { type JobLease, type JobProgress, LeaseLost, type NewJob, type TakenJob } from './job-store.ts'
import {
  type Fixture,
  type Law,
  record,
  running,
  START_SECONDS,
  usageRow,
  userMessage,
} from './store-fixtures.contract.ts'

const LEASE_MS = 15_000
const WANTED = { leaseMs: LEASE_MS, perProject: 20 }
const MAX_QUEUED = 100
const LOG_EXPIRES = START_SECONDS + 24 * 3600

export const queuedJob = (id: string, change: Partial<NewJob> = {}): NewJob => {
  const { response, ...rest } = running(id, 'queued')
  const queued = { ...response, background: true }
  return {
    record: { ...rest, response: queued },
    payload: `payload of ${id}`,
    keyId: 'key_a',
    events: [
      { type: 'response.created', sequence_number: 0, response: queued },
      { type: 'response.queued', sequence_number: 1, response: queued },
    ],
    keepsEvents: true,
    claim: null,
    lock: null,
    ...change,
  }
}

export const textDelta = (sequence_number: number): Extract<ResponseEvent, { type: 'response.output_text.delta' }> => ({
  type: 'response.output_text.delta',
  sequence_number,
  item_id: 'msg_1',
  output_index: 0,
  content_index: 0,
  delta: `piece ${sequence_number}`,
  logprobs: [],
})

export const progress = (change: Partial<JobProgress> = {}): JobProgress => ({
  events: [],
  boundary: 1,
  step: null,
  begins: false,
  ...change,
})

export const finished = (id: string, sequence_number = 2) => {
  const { response, ...rest } = record(id, { background: true })
  const event: ResponseEvent = { type: 'response.completed', sequence_number, response }
  return {
    ...rest,
    response,
    usage: [usageRow(`use_${id}`, id)],
    ending: { turn: null, claim: null },
    events: [event],
    logExpiresAt: LOG_EXPIRES,
  }
}

export async function takeNext({ store }: Pick<Fixture, 'store'>, wanted = WANTED): Promise<TakenJob> {
  const job = await store.jobs.take(wanted)
  assert.ok(job, 'there is a job to take')
  return job
}

export function jobContract(law: Law): void {
  queueing(law)
  owning(law)
  fencing(law)
  ending(law)
}

function queueing(law: Law): void {
  law('a queued response is there with its job, and is taken in the order it came', async (fixture) => {
    const { project, store } = fixture
    assert.equal(await project.jobs.enqueue(queuedJob('resp_1'), MAX_QUEUED), 'queued')
    assert.equal(await project.jobs.enqueue(queuedJob('resp_2', { keepsEvents: false }), MAX_QUEUED), 'queued')
    assert.equal((await project.getResponse('resp_1'))?.status, 'queued')
    const first = await takeNext(fixture)
    assert.deepEqual(first, {
      lease: { projectId: 'proj_a', responseId: 'resp_1', token: first.lease.token },
      response: queuedJob('resp_1').record.response,
      payload: 'payload of resp_1',
      keepsEvents: true,
      lockToken: null,
      boundary: 1,
      steps: [],
      reruns: 0,
      wasSeen: false,
      isCancelled: false,
      startedAt: START_SECONDS * 1000,
    })
    const second = await takeNext(fixture)
    assert.equal(second.lease.responseId, 'resp_2')
    assert.equal(second.keepsEvents, false)
    assert.equal(await store.jobs.take(WANTED), null)
  })

  law('a job whose request a restore has taken out is given without one', async (fixture) => {
    await fixture.project.jobs.enqueue(queuedJob('resp_1', { payload: '' }), MAX_QUEUED)
    assert.equal((await takeNext(fixture)).payload, null)
  })

  law('a project may queue so many and no more, whatever others queue', async ({ project, store }) => {
    const other = store.forProject('proj_b')
    assert.equal(await project.jobs.isFull(2), false)
    assert.equal(await project.jobs.enqueue(queuedJob('resp_1'), 2), 'queued')
    assert.equal(await project.jobs.enqueue(queuedJob('resp_2'), 2), 'queued')
    assert.equal(await project.jobs.isFull(2), true)
    assert.equal(await project.jobs.enqueue(queuedJob('resp_3'), 2), 'full')
    assert.equal(await project.getResponse('resp_3'), null)
    assert.equal(await other.jobs.enqueue(queuedJob('resp_3'), 2), 'queued')
    await takeNext({ store })
    assert.equal(await project.jobs.enqueue(queuedJob('resp_4'), 2), 'queued', 'one that runs does not wait')
  })

  law('of many that are queued at once no more get in than may', async ({ project }) => {
    const ids = Array.from({ length: 8 }, (_, index) => `resp_${index}`)
    const results = await Promise.all(ids.map((id) => project.jobs.enqueue(queuedJob(id), 3)))
    assert.equal(results.filter((result) => result === 'queued').length, 3)
  })

  law('a project that runs as many as it may leaves the queue to others', async (fixture) => {
    const { project, store } = fixture
    for (const id of ['resp_1', 'resp_2', 'resp_3']) await project.jobs.enqueue(queuedJob(id), MAX_QUEUED)
    await store.forProject('proj_b').jobs.enqueue(queuedJob('resp_b'), MAX_QUEUED)
    const limited = { ...WANTED, perProject: 1 }
    assert.equal((await takeNext(fixture, limited)).lease.responseId, 'resp_1')
    assert.equal((await takeNext(fixture, limited)).lease.responseId, 'resp_b')
    assert.equal(await store.jobs.take(limited), null)
  })

  law('keys of one project take turns, however many one of them queued first (req 170)', async (fixture) => {
    const { project } = fixture
    for (const id of ['resp_1', 'resp_2', 'resp_3']) await project.jobs.enqueue(queuedJob(id), MAX_QUEUED)
    await project.jobs.enqueue(queuedJob('resp_4', { keyId: 'key_b' }), MAX_QUEUED)
    const order = [await takeNext(fixture), await takeNext(fixture), await takeNext(fixture)]
    assert.deepEqual(
      order.map(({ lease }) => lease.responseId),
      ['resp_1', 'resp_4', 'resp_2'],
    )
  })

  law('a job that cannot be queued leaves nothing behind, and the key of its request is free', async ({ project }) => {
    const key = { endpoint: 'POST /v1/responses', keyDigest: 'd' }
    const claim = { key, fingerprint: 'f', leaseMs: LEASE_MS, expiresAt: START_SECONDS + 3600 }
    await project.idempotency.claim({ ...claim, token: 't1' })
    const reply = { type: 'response', id: 'resp_1' } as const
    await project.jobs.enqueue(queuedJob('resp_0'), 1)
    assert.equal(await project.jobs.enqueue(queuedJob('resp_1', { claim: { key, token: 't1', reply } }), 1), 'full')
    assert.equal((await project.idempotency.claim({ ...claim, token: 't2' })).type, 'in-flight')
    await project.jobs.enqueue(queuedJob('resp_1', { claim: { key, token: 't1', reply } }), MAX_QUEUED)
    assert.deepEqual(await project.idempotency.claim({ ...claim, token: 't3' }), { type: 'done', reply })
  })

  law('whoever waits for work is woken when there is some', async ({ project, store }) => {
    const woken = store.jobs.wakeUp()
    await project.jobs.enqueue(queuedJob('resp_1'), MAX_QUEUED)
    await woken
  })
}

function owning(law: Law): void {
  law('of many that take one job exactly one gets it', async ({ project, store, peer }) => {
    await project.jobs.enqueue(queuedJob('resp_1'), MAX_QUEUED)
    const all = await Promise.all(Array.from({ length: 10 }, (_, n) => (n % 2 ? store : peer).jobs.take(WANTED)))
    assert.equal(all.filter((job) => job !== null).length, 1)
  })

  law('a lease ends by its time unless it is renewed, and then the job is somebody else’s', async (fixture) => {
    const { project, store, clock } = fixture
    await project.jobs.enqueue(queuedJob('resp_1'), MAX_QUEUED)
    const first = await takeNext(fixture)
    clock.advance(10)
    assert.equal(await store.jobs.heartbeat(first.lease, LEASE_MS), 'held')
    clock.advance(10)
    assert.equal(await store.jobs.take(WANTED), null)
    clock.advance(6)
    const second = await takeNext(fixture)
    assert.ok(second.lease.token > first.lease.token)
    assert.equal(second.reruns, 1)
    assert.equal(second.startedAt, first.startedAt)
    assert.equal(await store.jobs.heartbeat(first.lease, LEASE_MS), 'lost')
    assert.equal(await store.jobs.heartbeat(second.lease, LEASE_MS), 'held')
  })

  law('a job that is given back is free at once, and nobody died', async (fixture) => {
    const { project, store } = fixture
    await project.jobs.enqueue(queuedJob('resp_1'), MAX_QUEUED)
    const first = await takeNext(fixture)
    await store.jobs.release(first.lease)
    const second = await takeNext(fixture)
    assert.equal(second.reruns, 0)
    await store.jobs.release(first.lease)
    assert.equal(await store.jobs.take(WANTED), null, 'who lost it cannot give it back')
  })

  law('what was kept of its steps goes with a job, and begins the count of its reruns anew', async (fixture) => {
    const { project, store, clock } = fixture
    await project.jobs.enqueue(queuedJob('resp_1'), MAX_QUEUED)
    const { lease } = await takeNext(fixture)
    await store.jobs.write(lease, progress({ step: 'one', begins: true }))
    assert.equal((await project.getResponse('resp_1'))?.status, 'in_progress')
    await store.jobs.write(lease, progress({ step: 'two' }))
    clock.advance(16)
    const second = await takeNext(fixture)
    assert.deepEqual(second.steps, ['one', 'two'])
    assert.equal(second.reruns, 1)
    assert.equal(second.response.status, 'in_progress')
    await store.jobs.write(second.lease, progress({ step: 'three' }))
    clock.advance(16)
    assert.equal((await takeNext(fixture)).reruns, 1)
  })

  law(
    'after the start of a node every job is free, and keeps the lock of its conversation (req 166)',
    async (fixture) => {
      const { project, store } = fixture
      await project.conversations.create({ id: 'conv_1', object: 'conversation', created_at: 1, metadata: {} }, [])
      await project.conversations.lock('conv_1', 'lock_1', LEASE_MS)
      await project.jobs.enqueue(inConversation('resp_1'), MAX_QUEUED)
      await project.startResponse(running('resp_2'))
      const first = await takeNext(fixture)
      const heir = await fixture.heir()
      assert.equal(await heir.failOrphans({ code: 'server_error', message: 'gone' }), 1)
      assert.equal((await project.getResponse('resp_1'))?.status, 'queued')
      assert.equal(await project.conversations.lock('conv_1', 'lock_2', LEASE_MS), 'busy')
      const second = await takeNext(fixture)
      assert.equal(second.reruns, 1)
      assert.equal(second.lockToken, 'lock_1')
      await assert.rejects(store.jobs.write(first.lease, progress()), LeaseLost)
    },
  )
}

const inConversation = (id: string): NewJob => {
  const job = queuedJob(id, { lock: { token: 'lock_1', ttlMs: 3_600_000 } })
  const response = { ...job.record.response, conversation: { id: 'conv_1' } }
  return { ...job, record: { ...job.record, response } }
}

function fencing(law: Law): void {
  const everyWrite: readonly [string, (fixture: Fixture, lease: JobLease) => Promise<void>][] = [
    ['events', ({ store }, lease) => store.jobs.write(lease, progress({ events: [textDelta(2)] }))],
    ['a step', ({ store }, lease) => store.jobs.write(lease, progress({ step: 'late' }))],
    ['its end', ({ store }, lease) => store.jobs.finish(lease, finished('resp_1'))],
  ]
  for (const [what, write] of everyWrite) {
    law(`who lost a job writes nothing of it any more: ${what}`, async (fixture) => {
      const { project, clock } = fixture
      await project.jobs.enqueue(queuedJob('resp_1'), MAX_QUEUED)
      const first = await takeNext(fixture)
      clock.advance(16)
      const second = await takeNext(fixture)
      await assert.rejects(write(fixture, first.lease), LeaseLost)
      const page = await project.events.read('resp_1', 1)
      assert.deepEqual(page.type === 'events' && page.events, [])
      assert.equal((await project.getResponse('resp_1'))?.status, 'queued')
      await write(fixture, second.lease)
    })
  }

  law('a response that was deleted cannot be written by who still works on it', async (fixture) => {
    const { project, store } = fixture
    await project.jobs.enqueue(queuedJob('resp_1'), MAX_QUEUED)
    const { lease } = await takeNext(fixture)
    assert.equal(await project.deleteResponse('resp_1'), true)
    await assert.rejects(store.jobs.write(lease, progress({ events: [textDelta(2)] })), LeaseLost)
    await assert.rejects(store.jobs.finish(lease, finished('resp_1')), LeaseLost)
    assert.equal(await project.getResponse('resp_1'), null)
    assert.equal(await store.jobs.take(WANTED), null)
  })
}

function ending(law: Law): void {
  law('an end is written once, with its event, its usage and the turn of its conversation', async (fixture) => {
    const { project, store, usageIds } = fixture
    await project.conversations.create({ id: 'conv_1', object: 'conversation', created_at: 1, metadata: {} }, [])
    await project.conversations.lock('conv_1', 'lock_1', LEASE_MS)
    await project.jobs.enqueue(inConversation('resp_1'), MAX_QUEUED)
    const { lease } = await takeNext(fixture)
    const turn = { conversationId: 'conv_1', token: 'lock_1', items: [userMessage('msg_1', 'hello')] }
    const end = finished('resp_1')
    await store.jobs.finish(lease, { ...end, ending: { turn, claim: null } })
    assert.deepEqual(await project.getResponse('resp_1'), end.response)
    assert.deepEqual(await usageIds('proj_a'), ['use_resp_1'])
    const page = await project.events.read('resp_1', -1)
    assert.deepEqual(page.type === 'events' && page.events.map(({ type }) => type), [
      'response.created',
      'response.queued',
      'response.completed',
    ])
    const items = await project.conversations.readItems('conv_1', 1_000_000)
    assert.deepEqual(items.type === 'items' && items.items.map(({ id }) => id), ['msg_1'])
    assert.equal(await project.conversations.lock('conv_1', 'lock_2', LEASE_MS), 'locked')
    await assert.rejects(store.jobs.finish(lease, finished('resp_1')), LeaseLost)
    assert.equal(await store.jobs.take(WANTED), null)
  })

  law('an end without a turn gives the conversation free, and without input keeps what was stored', async (fixture) => {
    const { project, store } = fixture
    await project.conversations.create({ id: 'conv_1', object: 'conversation', created_at: 1, metadata: {} }, [])
    await project.conversations.lock('conv_1', 'lock_1', LEASE_MS)
    await project.jobs.enqueue(inConversation('resp_1'), MAX_QUEUED)
    const { lease } = await takeNext(fixture)
    await store.jobs.finish(lease, { ...finished('resp_1'), input: null })
    assert.equal((await project.getItems(['msg_in_resp_1'])).size, 1)
    assert.equal(await project.conversations.lock('conv_1', 'lock_2', LEASE_MS), 'locked')
  })

  law('a conversation that went to somebody else takes no turn, and the whole end with it', async (fixture) => {
    const { project, store } = fixture
    await project.jobs.enqueue(queuedJob('resp_1'), MAX_QUEUED)
    const { lease } = await takeNext(fixture)
    await project.conversations.create({ id: 'conv_1', object: 'conversation', created_at: 1, metadata: {} }, [])
    const turn = { conversationId: 'conv_1', token: 'lock_gone', items: [userMessage('msg_1', 'hello')] }
    await assert.rejects(store.jobs.finish(lease, { ...finished('resp_1'), ending: { turn, claim: null } }))
    assert.equal((await project.getResponse('resp_1'))?.status, 'queued')
    await store.jobs.finish(lease, finished('resp_1'))
  })

  law('cancelling says whether somebody works on it, and tells who does', async (fixture) => {
    const { project, store } = fixture
    assert.equal(await project.jobs.requestCancel('resp_never'), 'none')
    await project.jobs.enqueue(queuedJob('resp_1'), MAX_QUEUED)
    await project.jobs.enqueue(queuedJob('resp_2'), MAX_QUEUED)
    assert.equal(await store.forProject('proj_b').jobs.requestCancel('resp_1'), 'none')
    const first = await takeNext(fixture)
    assert.equal(await project.jobs.requestCancel('resp_1'), 'running')
    assert.equal(await store.jobs.heartbeat(first.lease, LEASE_MS), 'cancel')
    assert.equal(await project.jobs.requestCancel('resp_2'), 'waiting')
    const only = { projectId: 'proj_a', responseId: 'resp_2' }
    const second = await store.jobs.take({ leaseMs: LEASE_MS, perProject: 0, only })
    assert.equal(second?.isCancelled, true)
    assert.equal(await store.jobs.take({ leaseMs: LEASE_MS, perProject: 0, only }), null, 'it is taken')
  })
}
