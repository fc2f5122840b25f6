/**
 * `Idempotency-Key`: the same request twice is one run. An answer is kept for the next who asks; a run that failed, was
 * cancelled or died with its process is given up, so that asking again runs it again.
 *
 * A project that keeps nothing keeps no answer and no digest of what was asked either: its key says that the request ran.
 */
import { type Clock, seconds } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { SealedBox } from '../lib/sealed-box.ts'
import { ApiError, responseNotFound } from '../protocol/errors.ts'
import type { ResponseObject } from '../protocol/response.ts'
import type { ClaimEnd, EndClaim, IdempotencyKey, StoredReply } from '../store/idempotency-store.ts'
import type { Store } from '../store/store.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { isAnswer } from './conversation-run.ts'
import type { Caller } from './engine.ts'
import { holdLease, LEASE_MS, type Lease } from './lease.ts'
import { keepsNothing } from './retention.ts'
import type { EngineSettings } from './settings.ts'

const KEY_TTL_SECONDS = 24 * 3600

export type IdempotencyDeps = {
  readonly store: Store
  readonly sealedBox: SealedBox
  readonly settings: EngineSettings
  readonly clock: Clock
  readonly ids: Ids
  readonly telemetry: Telemetry
}

export type Claimed = { readonly type: 'claimed'; readonly lease: Lease; readonly key: IdempotencyKey }

/** The claim of the run that is about to start, the reply of one that is over, or null without a key. */
export type KeyClaim = Claimed | { readonly type: 'replay'; readonly reply: StoredReply }

/** Throws 409 while the request runs elsewhere, and 422 when the key came with another body. */
export async function claimKey(endpoint: string, caller: Caller, deps: IdempotencyDeps): Promise<KeyClaim | null> {
  const { principal, requestId, idempotency } = caller
  if (!idempotency) return null
  const store = deps.store.forProject(principal.projectId)
  const key = { endpoint, keyDigest: idempotency.keyDigest }
  const token = deps.ids.next('claim')
  const result = await store.idempotency.claim({
    key,
    fingerprint: keepsNothing(caller, deps.settings) ? '' : idempotency.fingerprint,
    token,
    leaseMs: LEASE_MS,
    expiresAt: seconds(deps.clock) + KEY_TTL_SECONDS,
  })
  if (result.type === 'in-flight') throw keyInUse()
  if (result.type === 'other-body') throw keyReused()
  if (result.type === 'done') return { type: 'replay', reply: result.reply }
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
export function endOfRun(claim: Claimed, response: ResponseObject, caller: Caller, deps: IdempotencyDeps): ClaimEnd {
  const end = { key: claim.key, token: claim.lease.token }
  if (!isAnswer(response)) return { ...end, reply: null }
  return { ...end, reply: response.store ? { type: 'response', id: response.id } : sealReply(response, caller, deps) }
}

function sealReply(reply: object, caller: Caller, { sealedBox, settings }: IdempotencyDeps): StoredReply {
  if (keepsNothing(caller, settings)) return { type: 'none' }
  return { type: 'sealed', text: sealedBox.seal(JSON.stringify(reply), sealContext(caller.principal.projectId)) }
}

const sealContext = (projectId: string) => `idempotency:${projectId}`

/** The reply to a request for a response. */
export async function readResponse(
  reply: StoredReply,
  { principal }: Caller,
  deps: IdempotencyDeps,
): Promise<ResponseObject> {
  if (reply.type !== 'response') return openReply(reply, principal, deps)
  const response = await deps.store.forProject(principal.projectId).getResponse(reply.id)
  if (!response) throw responseNotFound(reply.id)
  return response
}

/** `T`: what was sealed under this key, which is what its endpoint answers. */
function openReply<T extends object>(
  reply: StoredReply,
  { projectId }: Caller['principal'],
  { sealedBox }: IdempotencyDeps,
): T {
  if (reply.type !== 'sealed') throw notKept()
  const json = sealedBox.open(reply.text, sealContext(projectId))
  if (json === null) throw unreadable()
  return JSON.parse(json)
}

/**
 * A use case that makes or changes something by one write, once for each key. `work` is given what that write must do to
 * the claim, and does it in the same transaction.
 */
export async function once<T extends object>(
  endpoint: string,
  caller: Caller,
  deps: IdempotencyDeps,
  work: (endClaim: EndClaim<T>) => Promise<T>,
): Promise<T> {
  const claim = await claimKey(endpoint, caller, deps)
  if (claim === null) return work(() => null)
  if (claim.type === 'replay') {
    const reply = openReply<T>(claim.reply, caller.principal, deps)
    caller.idempotency?.onReplay?.()
    return reply
  }
  const { key, lease } = claim
  await using held = new AsyncDisposableStack()
  held.use(lease)
  const done = await work((reply) => ({ key, token: lease.token, reply: sealReply(reply, caller, deps) }))
  lease.settle()
  return done
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

const notKept = () =>
  new ApiError({
    status: 409,
    param: HEADER,
    code: 'idempotency_reply_not_kept',
    message:
      `The request with this ${HEADER} ran, and its reply was not kept due to Zero Data Retention. Send a new key to run ` +
      'it again.',
    headers: { 'x-should-retry': 'false' },
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
