/** The worker on a real store: what it takes, what it loses, and what it lets go. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { waitUntil } from '../../test/fakes/chat-upstream.ts'
import { type JobControl, RunAbort } from '../engine/engine.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import type { TakenJob } from '../store/job-store.ts'
import { createSqliteStore } from '../store/sql/sqlite/sqlite-store.ts'
import { finished, queuedJob } from '../store/store-jobs.contract.ts'
import { silentTelemetry } from '../telemetry/telemetry.ts'
import { startRunWorker } from './run-worker.ts'

/** A hundred times as fast, for what waits; stores keep the time of day. */
const FAST = 100
const fastClock: Clock = {
  ...systemClock,
  after: (ms, fn, options) => systemClock.after(ms / FAST, fn, options),
}

type Work = { readonly job: TakenJob; readonly control: JobControl; end(): void }

async function open(t: TestContext, limits = { perProject: 20, total: 20 }) {
  const directory = mkdtempSync(join(tmpdir(), 'antiphon-worker-'))
  const store = await createSqliteStore({ path: join(directory, 'antiphon.db'), clock: systemClock })
  const works: Work[] = []
  let letGo = 0
  const worker = startRunWorker({
    jobs: store.jobs,
    engine: {
      runJob: (job, control) =>
        new Promise((resolve) => {
          control.abort.signal.addEventListener('abort', () => resolve(), { once: true })
          works.push({ job, control, end: resolve })
        }),
    },
    clock: fastClock,
    telemetry: silentTelemetry,
    limits,
    onLetGo() {
      letGo += 1
    },
  })
  t.after(async () => {
    await worker[Symbol.asyncDispose]()
    await store.close()
    rmSync(directory, { recursive: true })
  })
  const project = store.forProject('proj_a')
  const queue = (id: string) => project.jobs.enqueue(queuedJob(id), 100)
  return { store, project, worker, works, queue, letGo: () => letGo }
}

const reasonOf = ({ control }: Work) => {
  const { reason } = control.abort.signal
  return reason instanceof RunAbort ? reason.kind : null
}

test('it takes what is queued at once, and no more than it and a project may run', async (t) => {
  const { works, queue, store } = await open(t, { perProject: 2, total: 3 })
  for (const id of ['resp_1', 'resp_2', 'resp_3']) await queue(id)
  await waitUntil(() => works.length === 2)
  await store.forProject('proj_b').jobs.enqueue(queuedJob('resp_b'), 100)
  await waitUntil(() => works.length === 3)
  assert.deepEqual(
    works.map(({ job }) => job.lease.responseId),
    ['resp_1', 'resp_2', 'resp_b'],
  )
  const [first] = works
  assert.ok(first)
  await store.jobs.finish(first.job.lease, finished('resp_1'))
  first.end()
  await waitUntil(() => works.length === 4)
  assert.equal(works[3]?.job.lease.responseId, 'resp_3')
})

test('a cancellation that another process asked for comes with a heartbeat', async (t) => {
  const { works, queue, project } = await open(t)
  await queue('resp_1')
  await waitUntil(() => works.length === 1)
  assert.equal(await project.jobs.requestCancel('resp_1'), 'running')
  await waitUntil(() => works.some((work) => reasonOf(work) === 'cancelled'))
})

test('a run whose lease went to somebody else is let go, and is not given back', async (t) => {
  const { works, queue, store } = await open(t)
  await queue('resp_1')
  await waitUntil(() => works.length === 1)
  await store.failOrphans({ code: 'server_error', message: 'gone' })
  const only = { projectId: 'proj_a', responseId: 'resp_1' }
  const other = await store.jobs.take({ leaseMs: 60_000, perProject: 1, only })
  assert.ok(other)
  await waitUntil(() => works[0] !== undefined && reasonOf(works[0]) === 'let-go')
  assert.equal(await store.jobs.heartbeat(other.lease, 60_000), 'held')
})

test('a drain takes nothing more, asks every run to pause, and gives back what did not in time', async (t) => {
  const { works, queue, store, worker, letGo } = await open(t)
  await queue('resp_1')
  await waitUntil(() => works.length === 1)
  const [work] = works
  assert.ok(work)
  assert.equal(work.control.isPausing(), false)
  const drained = worker.drain(2_000)
  assert.equal(work.control.isPausing(), true)
  await queue('resp_2')
  await drained
  assert.equal(reasonOf(work), 'let-go')
  assert.equal(letGo(), 1)
  assert.equal(works.length, 1)
  const again = await store.jobs.take({ leaseMs: 15_000, perProject: 20 })
  assert.equal(again?.lease.responseId, 'resp_1')
  assert.equal(again.reruns, 0, 'nobody died')
})
