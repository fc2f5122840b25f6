/** Signing secrets at rest: sealed, and bound to the endpoint that they are of. */
import type { SealedBox } from '../lib/sealed-box.ts'
import type { StoredWebhook } from '../store/webhook-store.ts'

type Deps = { readonly sealedBox: SealedBox }
type Owner = { readonly projectId: string; readonly id: string }
const HINT_CHARS = 4

const contextOf = ({ projectId, id }: Owner) => `webhook:${projectId}:${id}`

export const sealSecret = (secret: string, owner: Owner, { sealedBox }: Deps): string =>
  sealedBox.seal(secret, contextOf(owner))

/** The end of it: enough to tell two apart. */
export const hintOf = (secret: string): string =>
  `${secret.startsWith('whsec_') ? 'whsec_' : ''}...${secret.slice(-HINT_CHARS)}`

export type SealedSecrets = Owner & Pick<StoredWebhook, 'secret' | 'previousSecret' | 'previousUntil'>

/** Those that sign at `now` (seconds), the newest first; null when the key that sealed them is gone. */
export function secretsOf(endpoint: SealedSecrets, now: number, { sealedBox }: Deps): readonly string[] | null {
  const context = contextOf(endpoint)
  const current = sealedBox.open(endpoint.secret, context)
  if (current === null) return null
  const { previousSecret, previousUntil } = endpoint
  const previous =
    previousSecret !== null && now < (previousUntil ?? 0) ? sealedBox.open(previousSecret, context) : null
  return previous === null ? [current] : [current, previous]
}
