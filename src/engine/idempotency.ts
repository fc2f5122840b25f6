/**
 * `Idempotency-Key`: the same request twice is one run. An answer is kept for the next who asks; a run that failed, was
 * cancelled or died with its process is given up, so that asking again runs it again.
 */
import { type Clock, seconds } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { SealedBox } from '../lib/sealed-box.ts'
import { ApiError, responseNotFound } from '../protocol/errors.ts'
import type { ResponseObject } from '../protocol/response.ts'
import type { ClaimEnd, IdempotencyKey, StoredReply } from '../store/idempotency-store.ts'
import type { ProjectStore, Store } from '../store/store.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { isAnswer } from './conversation-run.ts'
import type { Caller } from './engine.ts'
import { holdLease, LEASE_MS, type Lease } from './lease.ts'

const KEY_TTL_SECONDS = 24 * 3600
const ENDPOINT = 'POST /v1/responses'

type Deps = {
  readonly store: Store
  readonly sealedBox: SealedBox
  readonly clock: Clock
  readonly ids: Ids
  readonly telemetry: Telemetry
}

/** The claim of the run that is about to start, the answer of one that is over, or null without a key. */
export type KeyClaim =
  | { readonly type: 'claimed'; readonly lease: Lease; readonly key: IdempotencyKey }
  | { readonly type: 'replay'; readonly response: ResponseObject }

/** Throws 409 while the request runs elsewhere, and 422 when the key came with another body. */
export async function claimKey({ principal, requestId, idempotency }: Caller, deps: Deps): Promise<KeyClaim | null> {
  if (!idempotency) return null
  const store = deps.store.forProject(principal.projectId)
  const key = { endpoint: ENDPOINT, keyDigest: idempotency.keyDigest }
  const token = deps.ids.next('claim')
  const result = await store.idempotency.claim({
    key,
    fingerprint: idempotency.fingerprint,
    token,
    leaseMs: LEASE_MS,
    expiresAt: seconds(deps.clock) + KEY_TTL_SECONDS,
  })
  if (result.type === 'in-flight') throw keyInUse()
  if (result.type === 'other-body') throw keyReused()
  if (result.type === 'done') return { type: 'replay', response: await readReply(result.reply, store, deps.sealedBox) }
  const lease = holdLease({
    token,
    clock: deps.clock,
    renew: () => store.idempotency.renew(key, token, LEASE_MS),
    release: () => store.idempotency.abandon(key, token),
    onFailure: (error) => deps.telemetry.failed({ requestId, where: 'idempotency-key', error }),
  })
  return { type: 'claimed', lease, key }
}

/**
 * A stored response is its own reply. One that is not stored stays for as long as the key, sealed, because whoever sends
 * a key asks for the reply to be there a second time.
 */
export function endOfClaim(
  { key, lease }: Extract<KeyClaim, { type: 'claimed' }>,
  response: ResponseObject,
  { projectId }: ProjectStore,
  box: SealedBox,
): ClaimEnd {
  const reply = (): StoredReply =>
    response.store
      ? { type: 'response', id: response.id }
      : { type: 'sealed', text: box.seal(JSON.stringify(response), sealContext(projectId)) }
  return { key, token: lease.token, reply: isAnswer(response) ? reply() : null }
}

const sealContext = (projectId: string) => `idempotency:${projectId}`

async function readReply(reply: StoredReply, store: ProjectStore, box: SealedBox): Promise<ResponseObject> {
  if (reply.type === 'response') {
    const response = await store.getResponse(reply.id)
    if (!response) throw responseNotFound(reply.id)
    return response
  }
  const json = box.open(reply.text, sealContext(store.projectId))
  if (json === null) throw unreadable()
  return JSON.parse(json)
}

const HEADER = 'Idempotency-Key'

const keyInUse = () =>
  new ApiError({
    status: 409,
    param: HEADER,
    code: 'idempotency_key_in_use',
    message: `A request with this ${HEADER} is still running. Try again when it has ended: its reply is kept for you.`,
    headers: { 'retry-after': '1' },
  })

const keyReused = () =>
  new ApiError({
    status: 422,
    param: HEADER,
    code: 'idempotency_key_reused',
    message: `This ${HEADER} was used with another body. A key stands for one request: send a new key, or the same body.`,
  })

const unreadable = () =>
  new ApiError({
    status: 409,
    param: HEADER,
    code: 'idempotency_key_reused',
    message:
      `The reply kept for this ${HEADER} was sealed with a secret this server no longer has. The request ran; send a ` +
      'new key to run it again.',
    headers: { 'x-should-retry': 'false' },
  })
