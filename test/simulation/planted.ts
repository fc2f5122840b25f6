/** Faults of the kind that creeps in: each breaks one law at the store's edge, and the simulation has to find it. */
import type { JobLease } from '../../src/store/job-store.ts'
import type { RunEnding, Store } from '../../src/store/store.ts'

type Jobs = Store['jobs']
type Plant = (store: Store) => Store

const withJobs = (store: Store, jobs: Partial<Jobs>): Store => overlay(store, { jobs: overlay(store.jobs, jobs) })

/** The object with some of its functions replaced. */
const overlay = <T extends object>(target: T, over: Partial<T>): T =>
  new Proxy(target, { get: (of, key) => Reflect.get(key in over ? over : of, key) })

const withEvents = (
  store: Store,
  change: (events: ReturnType<Store['forProject']>['events']) => Partial<ReturnType<Store['forProject']>['events']>,
): Store =>
  overlay(store, {
    forProject(projectId) {
      const project = store.forProject(projectId)
      return overlay(project, { events: overlay(project.events, change(project.events)) })
    },
  })

const untold = (ending: RunEnding): RunEnding => ({ ...ending, event: null })

export const PLANTED: Readonly<Record<string, () => Plant>> = {
  'a boundary that claims what no step has settled': () => (store) =>
    withJobs(store, {
      async write(lease, progress) {
        const boundary = progress.events.at(-1)?.sequence_number ?? progress.boundary
        await store.jobs.write(lease, { ...progress, boundary: Math.max(boundary, progress.boundary) })
      },
    }),
  'a call of a tool that is not written down before it is sent': () => (store) =>
    withJobs(store, {
      write: async (lease, progress) =>
        store.jobs.write(lease, progress.step?.includes('"call-started"') ? { ...progress, step: null } : progress),
    }),
  'a reader that does not say what it told': () => (store) => withEvents(store, () => ({ markSeen: async () => true })),
  'a cursor that is one off': () => (store) =>
    withEvents(store, (events) => ({ read: async (id, after) => events.read(id, after < 0 ? after : after + 1) })),
  'a fence that lets everybody through': () => {
    const newest = new Map<string, number>()
    const unfenced = (lease: JobLease): JobLease => ({
      ...lease,
      token: newest.get(lease.responseId) ?? lease.token,
    })
    return (store) =>
      withJobs(store, {
        async take(wanted) {
          const job = await store.jobs.take(wanted)
          if (job) newest.set(job.lease.responseId, job.lease.token)
          return job
        },
        heartbeat: async (lease, leaseMs) => store.jobs.heartbeat(unfenced(lease), leaseMs),
        write: async (lease, progress) => store.jobs.write(unfenced(lease), progress),
        finish: async (lease, finished) => store.jobs.finish(unfenced(lease), finished),
      })
  },
  'an end that its receivers never hear of': () => (store) =>
    withJobs(store, {
      finish: async (lease, finished) => store.jobs.finish(lease, { ...finished, ending: untold(finished.ending) }),
    }),
}
