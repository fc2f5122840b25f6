/** A process that dies in the middle of a background run, as its store sees it: nothing is written any more. */
import assert from 'node:assert/strict'
import type { JobControl } from '../../src/engine/engine.ts'
import type { Model } from '../../src/models/model.ts'
import type { CreateResponseRequest } from '../../src/protocol/request.ts'
import { type JobStore, LeaseLost, type TakenJob } from '../../src/store/job-store.ts'
import type { Store } from '../../src/store/store.ts'
import type { Tool } from '../../src/tools/tool.ts'
import { type EngineFixture, openEngine } from './engine-fixture.ts'

/** Whoever owned it is dead. */
export async function takeOver({ store }: { readonly store: Store }): Promise<TakenJob> {
  await store.failOrphans({ code: 'server_error', message: 'gone' })
  const job = await store.jobs.take({ leaseMs: 15_000, perProject: 20 })
  assert.ok(job, 'there is a job to take')
  return job
}

/** A process that dies at its n-th write to the job, before or after that is on disk. */
export function dyingJobs(jobs: JobStore, deathAt: number, isWritten: boolean) {
  let writes = 0
  const perhaps = async (write: () => Promise<void>, id: string) => {
    writes += 1
    if (writes > deathAt) throw new LeaseLost(id)
    if (writes === deathAt && !isWritten) throw new LeaseLost(id)
    await write()
    if (writes === deathAt) throw new LeaseLost(id)
  }
  return {
    jobs: {
      ...jobs,
      write: (...[lease, progress]: Parameters<JobStore['write']>) =>
        perhaps(() => jobs.write(lease, progress), lease.responseId),
      finish: (...[lease, finished]: Parameters<JobStore['finish']>) =>
        perhaps(() => jobs.finish(lease, finished), lease.responseId),
    },
    writes: () => writes,
  }
}

export const control = (): JobControl => ({ abort: new AbortController(), isPausing: () => false })

type World = { readonly model: Model; readonly tools: readonly Tool[] }
type Death<W> = {
  readonly world: W
  readonly fixture: EngineFixture
  readonly responseId: string
  /** The write that its process died at, counted from 1. */
  readonly deathAt: number
  /** Whether the run has its end all the same. */
  readonly isEnded: boolean
}

/**
 * The same background run in a new world each time: its process dies at the first write, then at the second, until it ends
 * before it would. `look`: what is done with what it left.
 */
export async function eachDeath<W extends World>(
  createWorld: () => W,
  request: CreateResponseRequest,
  { isWritten }: { readonly isWritten: boolean },
  look: (death: Death<W>) => Promise<void>,
): Promise<void> {
  for (let deathAt = 1, isOver = false; !isOver; deathAt += 1) {
    const world = createWorld()
    let dying: ReturnType<typeof dyingJobs> | null = null
    const wrapStore = (store: Store) => ({
      ...store,
      get jobs() {
        return dying?.jobs ?? store.jobs
      },
    })
    const fixture = await openEngine(world.model, { tools: world.tools, wrapStore })
    const { responseId } = await fixture.engine.createResponse(request, fixture.caller())
    const job = await takeOver(fixture)
    dying = dyingJobs(fixture.store.jobs, deathAt, isWritten)
    const { writes } = dying
    await fixture.engine.runJob(job, control())
    dying = null
    isOver = writes() < deathAt
    const isEnded = (await fixture.store.forProject('proj_a').getResponse(responseId))?.status === 'completed'
    await look({ world, fixture, responseId, deathAt, isEnded })
    await fixture.close()
  }
}
