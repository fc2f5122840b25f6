/**
 * A client's leave for calls of hosted tools: asked for by one response, given by a later request, used once.
 *
 * What was asked stands in the store under the id of its request item, for as long as leave may be given, and whether the
 * items around it are stored or not. So nobody can give leave for what was never asked, in this project, in these words;
 * and a restart forgets nothing. Only digests are kept, and they say nothing to who does not know the call already.
 *
 * Invariant: leave is used up before its call is sent. A call that a crash cut off is not made again.
 */
import { createHash } from 'node:crypto'
import { type Clock, seconds } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { SealedBox } from '../lib/sealed-box.ts'
import { badRequest } from '../protocol/errors.ts'
import type { McpApprovalRequest, McpApprovalResponse } from '../protocol/hosted-items.ts'
import type { Item } from '../protocol/items.ts'
import type { StoredReply } from '../store/idempotency-store.ts'
import type { ProjectStore } from '../store/store.ts'
import type { OfferedTools } from './resolve-tools.ts'

export type GivenApproval = {
  readonly request: McpApprovalRequest
  readonly response: McpApprovalResponse
  /** What was to be allowed, as the tool told it. */
  readonly digest: string
}

export type ApprovalDeps = {
  readonly store: ProjectStore
  readonly sealedBox: SealedBox
  readonly clock: Clock
  readonly ids: Ids
}

const ASKED = 'mcp approval asked'
const ANSWERED = 'mcp approval answered'
export const APPROVAL_TTL_SECONDS = 30 * 24 * 3600
/** Of a claim between its two writes. */
const CLAIM_MS = 60_000

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const sealContext = ({ store }: ApprovalDeps) => `approval:${store.projectId}`
const contentOf = ({ id, server_label, name, arguments: input }: McpApprovalRequest) =>
  sha256(JSON.stringify([id, server_label, name, input]))

/** To be on disk before the client sees the whole request. */
export async function keepAsked(request: McpApprovalRequest, digest: string, deps: ApprovalDeps): Promise<void> {
  const sealed = { type: 'sealed', text: deps.sealedBox.seal(digest, sealContext(deps)) } as const
  await claim(ASKED, request, contentOf(request), sealed, deps)
}

/**
 * The answers among the new input that are about tools of this server. Throws for an answer to nothing, and for a call
 * that nobody could run. Changes nothing, so that a request that is refused for something else may come again.
 */
export async function resolveApprovals(
  input: readonly Item[],
  history: readonly Item[],
  tools: Pick<OfferedTools, 'pending' | 'providerTools'>,
  deps: ApprovalDeps,
): Promise<readonly GivenApproval[]> {
  const given: GivenApproval[] = []
  if (!input.some(({ type }) => type === 'mcp_approval_response')) return given
  const asked = new Map<string, McpApprovalRequest>()
  for (const item of [...history, ...input]) if (item.type === 'mcp_approval_request') asked.set(item.id, item)
  const answered = new Set<string>()
  for (const response of input) {
    if (response.type !== 'mcp_approval_response') continue
    const id = response.approval_request_id
    const request = asked.get(id)
    if (request && !isOurs(request, tools) && tools.providerTools.has('mcp')) continue
    if (!request || answered.has(id)) throw refused(id, request ? 'it is answered twice' : NOT_IN_CONTEXT)
    answered.add(id)
    if (!isOurs(request, tools)) {
      if (response.approve) throw refused(id, `'tools' has no MCP server '${request.server_label}' to run the call on`)
      continue
    }
    given.push({ request, response, digest: await digestOf(request, deps) })
  }
  return given
}

const isOurs = ({ server_label }: McpApprovalRequest, { pending }: Pick<OfferedTools, 'pending'>) =>
  pending.some(({ spec }) => spec.type === 'mcp' && spec.server_label === server_label)

async function digestOf(request: McpApprovalRequest, deps: ApprovalDeps): Promise<string> {
  const { idempotency } = deps.store
  const key = keyOf(ASKED, request)
  const token = deps.ids.next('claim')
  const fingerprint = contentOf(request)
  const result = await idempotency.claim({ key, fingerprint, token, leaseMs: CLAIM_MS, expiresAt: expiry(deps) })
  if (result.type === 'claimed') await idempotency.abandon(key, token)
  if (result.type === 'other-body') throw refused(request.id, 'the request came back with another call in it')
  if (result.type !== 'done' || result.reply.type !== 'sealed') throw refused(request.id, NEVER_ASKED)
  const digest = deps.sealedBox.open(result.reply.text, sealContext(deps))
  if (digest === null) throw refused(request.id, 'the key it was sealed with is gone')
  return digest
}

/** Uses all of them up, or throws for the first that was used before. */
export async function takeApprovals(given: readonly GivenApproval[], deps: ApprovalDeps): Promise<void> {
  for (const { request } of given) {
    if (!(await claim(ANSWERED, request, '', { type: 'none' }, deps))) {
      throw refused(request.id, 'it was answered before, and an approval is good for one call')
    }
  }
}

/** False when it was claimed before. */
async function claim(
  endpoint: string,
  request: McpApprovalRequest,
  fingerprint: string,
  reply: StoredReply,
  deps: ApprovalDeps,
): Promise<boolean> {
  const key = keyOf(endpoint, request)
  const token = deps.ids.next('claim')
  const wanted = { key, fingerprint, token, leaseMs: CLAIM_MS, expiresAt: expiry(deps) }
  if ((await deps.store.idempotency.claim(wanted)).type !== 'claimed') return false
  await deps.store.finishUnstored([], { turn: null, claim: { key, token, reply } })
  return true
}

const keyOf = (endpoint: string, { id }: McpApprovalRequest) => ({ endpoint, keyDigest: sha256(id) })
const expiry = ({ clock }: ApprovalDeps) => seconds(clock) + APPROVAL_TTL_SECONDS

const NOT_IN_CONTEXT =
  'there is no such request before it; go on from the response that asked (previous_response_id, conversation), or send ' +
  'its mcp_approval_request item along'
const NEVER_ASKED = 'this server did not ask it in this project, or longer ago than approvals are kept'

const refused = (id: string, why: string) =>
  badRequest('input', 'invalid_value', `The approval of '${id.slice(0, 100)}' cannot be used: ${why}.`)
