/**
 * What a background run is made from, sealed: the request may hold the secrets of MCP servers, and none of them is ever
 * at rest in the clear. The row it lies in is deleted when the run ends.
 */
import type { SealedBox } from '../lib/sealed-box.ts'
import type { CreateResponseRequest } from '../protocol/request.ts'
import type { JobLease } from '../store/job-store.ts'

export type JobPayload = {
  readonly request: CreateResponseRequest
  /** From which all ids of the run follow. */
  readonly seed: string
  readonly keyId: string
  readonly requestId: string
}

type Scope = Pick<JobLease, 'projectId' | 'responseId'>

const contextOf = ({ projectId, responseId }: Scope) => `job:${projectId}:${responseId}`

export const sealPayload = (payload: JobPayload, scope: Scope, box: SealedBox): string =>
  box.seal(JSON.stringify(payload), contextOf(scope))

/** Null when the key it was sealed with is gone. */
export function openPayload(sealed: string, scope: Scope, box: SealedBox): JobPayload | null {
  const json = box.open(sealed, contextOf(scope))
  return json === null ? null : JSON.parse(json)
}
