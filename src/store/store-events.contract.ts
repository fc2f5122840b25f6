/** The laws of event logs: any cursor gives exactly the suffix; what was seen is not taken back. */
import assert from 'node:assert/strict'
import { seconds } from '../lib/clock.ts'
import type { EventPage } from './event-log.ts'
import type { ProjectStore } from './store.ts'
import type { Fixture, Law } from './store-fixtures.contract.ts'
import { finished, progress, queuedJob, takeNext, textDelta } from './store-jobs.contract.ts'

const MAX_QUEUED = 100
type Events = Extract<EventPage, { type: 'events' }>

async function readPage(project: ProjectStore, after: number): Promise<Events> {
  const page = await project.events.read('resp_1', after)
  assert.ok(page.type === 'events', `the log is ${page.type}`)
  return page
}

/** Every event after the cursor, however many pages they take. */
async function readAll(project: ProjectStore, after: number): Promise<number[]> {
  const numbers: number[] = []
  for (;;) {
    const page = await readPage(project, numbers.at(-1) ?? after)
    numbers.push(...page.events.map(({ sequence_number }) => sequence_number))
    if (page.isLast || page.events.length === 0) return numbers
  }
}

const range = (from: number, to: number) => Array.from({ length: Math.max(0, to - from) }, (_, n) => from + n)

async function begin(fixture: Fixture) {
  await fixture.project.jobs.enqueue(queuedJob('resp_1'), MAX_QUEUED)
  return takeNext(fixture)
}

export function eventContract(law: Law): void {
  reading(law)
  takingBack(law)
  keeping(law)
}

function reading(law: Law): void {
  law('from any cursor a log gives exactly the suffix, also to another process', async (fixture) => {
    const { project, peer, store } = fixture
    const { lease } = await begin(fixture)
    let next = 2
    for (let batch = 0; batch < 150; batch += 1) {
      const size = 1 + (batch % 4)
      const events = range(next, next + size).map(textDelta)
      next += size
      await store.jobs.write(lease, progress({ events, boundary: next - 1 }))
    }
    await store.jobs.finish(lease, finished('resp_1', next))
    for (const cursor of [-1, 0, 1, 2, 3, 77, 200, next - 1, next, next + 100]) {
      assert.deepEqual(await readAll(project, cursor), range(cursor + 1, next + 1), `after ${cursor}`)
      assert.deepEqual(await readAll(peer.forProject('proj_a'), cursor), range(cursor + 1, next + 1))
    }
  })

  law('events come back as they were written', async (fixture) => {
    const { project, store } = fixture
    const { lease } = await begin(fixture)
    const events = [textDelta(2), { ...textDelta(3), delta: 'ä\n"\\\u2028😀' }]
    await store.jobs.write(lease, progress({ events, boundary: 3 }))
    assert.deepEqual((await readPage(project, 1)).events, events)
  })

  law('a log says that it goes on until its last event was given', async (fixture) => {
    const { project, store } = fixture
    const { lease } = await begin(fixture)
    assert.equal((await readPage(project, -1)).isLast, false)
    assert.equal((await readPage(project, 1)).isLast, false)
    await store.jobs.finish(lease, finished('resp_1'))
    assert.equal((await readPage(project, 1)).isLast, true)
    assert.deepEqual(await readPage(project, 2), { type: 'events', events: [], isLast: true, unsettled: null })
  })

  law('a wake-up asked for before reading tells of what is written afterwards', async (fixture) => {
    const { project, store } = fixture
    const { lease } = await begin(fixture)
    const first = project.events.wakeUp('resp_1')
    await store.jobs.write(lease, progress({ events: [textDelta(2)] }))
    await first
    const second = project.events.wakeUp('resp_1')
    await store.jobs.finish(lease, finished('resp_1', 3))
    await second
  })

  law('to another project a log is one that never existed', async (fixture) => {
    const { store } = fixture
    const { lease, boundary } = await begin(fixture)
    const foreign = store.forProject('proj_b')
    assert.deepEqual(await foreign.events.read('resp_1', -1), { type: 'unknown' })
    assert.equal(await foreign.events.markSeen('resp_1', { token: lease.token, boundary }), false)
  })
}

function takingBack(law: Law): void {
  law(
    'what is behind the boundary is taken back with the lease, and the cursor finds what comes instead',
    async (fixture) => {
      const { project, store, clock } = fixture
      const first = await begin(fixture)
      await store.jobs.write(first.lease, progress({ events: [textDelta(2)], boundary: 2 }))
      await store.jobs.write(first.lease, progress({ events: [textDelta(3), textDelta(4)], boundary: 2 }))
      clock.advance(16)
      const second = await takeNext(fixture)
      assert.equal(second.boundary, 2)
      assert.equal(second.wasSeen, false)
      assert.deepEqual(await readAll(project, -1), [0, 1, 2])
      await store.jobs.write(second.lease, progress({ events: [textDelta(3)], boundary: 2 }))
      assert.deepEqual(await readAll(project, 2), [3])
    },
  )

  law('what somebody has seen is not taken back', async (fixture) => {
    const { project, store, clock } = fixture
    const first = await begin(fixture)
    await store.jobs.write(first.lease, progress({ events: [textDelta(2), textDelta(3)], boundary: 2 }))
    const { unsettled } = await readPage(project, -1)
    assert.deepEqual(unsettled, { token: first.lease.token, boundary: 2 })
    assert.equal(await project.events.markSeen('resp_1', unsettled), true)
    assert.equal((await readPage(project, -1)).unsettled, null, 'it is known now')
    clock.advance(16)
    const second = await takeNext(fixture)
    assert.equal(second.wasSeen, true)
    assert.deepEqual(await readAll(project, -1), [0, 1, 2, 3])
  })

  law('seen once does not hold behind the next boundary', async (fixture) => {
    const { project, store, clock } = fixture
    const first = await begin(fixture)
    await store.jobs.write(first.lease, progress({ events: [textDelta(2), textDelta(3)], boundary: 2 }))
    const { unsettled } = await readPage(project, -1)
    assert.ok(unsettled && (await project.events.markSeen('resp_1', unsettled)))
    await store.jobs.write(first.lease, progress({ boundary: 3, step: 'done' }))
    assert.equal((await readPage(project, -1)).unsettled, null)
    await store.jobs.write(first.lease, progress({ events: [textDelta(4)], boundary: 3 }))
    clock.advance(16)
    assert.equal((await takeNext(fixture)).wasSeen, false)
    assert.deepEqual(await readAll(project, -1), [0, 1, 2, 3])
  })

  law('a reader that read what was taken back meanwhile is told to read again', async (fixture) => {
    const { project, store, clock } = fixture
    const first = await begin(fixture)
    await store.jobs.write(first.lease, progress({ events: [textDelta(2)] }))
    const { unsettled } = await readPage(project, 1)
    assert.ok(unsettled)
    clock.advance(16)
    const second = await takeNext(fixture)
    assert.equal(await project.events.markSeen('resp_1', unsettled), false)
    await store.jobs.finish(second.lease, finished('resp_1'))
    assert.equal(await project.events.markSeen('resp_1', unsettled), false)
  })
}

function keeping(law: Law): void {
  law('a response without a log, and one that is unknown, say so', async (fixture) => {
    const { project } = fixture
    await project.jobs.enqueue(queuedJob('resp_1', { keepsEvents: false }), MAX_QUEUED)
    assert.deepEqual(await project.events.read('resp_1', -1), { type: 'not-kept' })
    assert.deepEqual(await project.events.read('resp_never', -1), { type: 'unknown' })
  })

  law('a log is kept for its time after the end and no longer; the response stays', async (fixture) => {
    const { project, store, clock } = fixture
    const { lease } = await begin(fixture)
    await store.jobs.finish(lease, { ...finished('resp_1'), logExpiresAt: seconds(clock) + 60 })
    clock.advance(59)
    assert.deepEqual(await readAll(project, -1), [0, 1, 2])
    clock.advance(1)
    assert.deepEqual(await project.events.read('resp_1', -1), { type: 'expired' })
    clock.advance(1)
    assert.equal(await store.purgeExpired(seconds(clock), 100), 1)
    assert.equal(await store.purgeExpired(seconds(clock), 100), 0)
    assert.deepEqual(await project.events.read('resp_1', -1), { type: 'expired' })
    assert.equal((await project.getResponse('resp_1'))?.status, 'completed')
  })

  law('with a response goes its log', async (fixture) => {
    const { project, store } = fixture
    const { lease } = await begin(fixture)
    await store.jobs.finish(lease, finished('resp_1'))
    await project.deleteResponse('resp_1')
    assert.deepEqual(await project.events.read('resp_1', -1), { type: 'unknown' })
  })
}
