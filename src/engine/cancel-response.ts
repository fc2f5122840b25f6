/** Use cases that end stored responses: cancel, delete. */
import { wokenWithin } from '../lib/wake-ups.ts'
import { badRequest } from '../protocol/errors.ts'
import type { ResponseObject } from '../protocol/response.ts'
import type { CreateDeps } from './create-deps.ts'
import { endJob } from './end-job.ts'
import type { Caller } from './engine.ts'
import { LEASE_MS } from './lease.ts'
import { getResponse } from './read-responses.ts'
import { LOOK_AGAIN_MS } from './replay-events.ts'

/** An owner that died has lost its job by then, and the next one has seen that it is to end. */
export const CANCEL_WAIT_MS = 25_000

/**
 * Only a background run can be cancelled by id; a foreground run ends when its connection is closed. Answers the response
 * as it ended, however it did: of one that is over already it is that again.
 */
export async function cancelResponse(id: string, caller: Caller, deps: CreateDeps): Promise<ResponseObject> {
  const response = await getResponse(id, caller, deps)
  if (!response.background) throw badRequest(null, null, 'Cannot cancel a synchronous response.')
  return isOver(response) ? response : cancelRunning(id, caller, deps)
}

async function cancelRunning(id: string, caller: Caller, deps: CreateDeps): Promise<ResponseObject> {
  const { projectId } = caller.principal
  const { jobs } = deps.store
  const state = await deps.store.forProject(projectId).jobs.requestCancel(id)
  if (state === 'running') deps.ownRuns.cancel(id)
  if (state === 'waiting') {
    const only = { projectId, responseId: id }
    const job = await jobs.take({ leaseMs: LEASE_MS, perProject: 0, only })
    if (job) await endJob(job, { status: 'cancelled' }, deps)
  }
  return waitForEnd(id, caller, deps)
}

/** The response when it has ended, or as it is when it takes too long. */
async function waitForEnd(id: string, caller: Caller, deps: CreateDeps): Promise<ResponseObject> {
  const { clock } = deps
  const log = deps.store.forProject(caller.principal.projectId).events
  const until = clock.monotonic() + CANCEL_WAIT_MS
  for (;;) {
    const woken = log.wakeUp(id)
    const response = await getResponse(id, caller, deps)
    if (isOver(response) || clock.monotonic() >= until || caller.signal.aborted) return response
    await wokenWithin(LOOK_AGAIN_MS, woken, { clock, signals: [caller.signal] })
  }
}

const isOver = ({ status }: ResponseObject) => status !== 'queued' && status !== 'in_progress'

/** A background run is cancelled first. */
export async function deleteResponse(id: string, caller: Caller, deps: CreateDeps): Promise<void> {
  const { projectId } = caller.principal
  const found = await getResponse(id, caller, deps)
  const response = found.background ? await cancelResponse(id, caller, deps) : found
  if (!isOver(response)) {
    throw badRequest(
      null,
      null,
      `Response '${id}' is still ${response.status}. Wait for it to finish before you delete it.`,
    )
  }
  await deps.store.forProject(projectId).deleteResponse(id)
  deps.cache.dropProject(projectId)
}
