/** Makes, lists and revokes keys, whether a server runs or not: running ones see a change within five seconds. */
import { type Clock, seconds } from '../lib/clock.ts'
import type { KeyScope, KeyStore, StoredKey } from '../store/store.ts'
import { digestSecret, makeApiKey } from './api-keys.ts'
import { DEFAULT_PROJECT } from './key-authenticator.ts'

export type NewKey = {
  /** Whose responses it sees; a project begins with its first key. */
  readonly projectId?: string
  readonly name: string
  readonly scopes: readonly KeyScope[]
  /** Seconds since the epoch; null: never. */
  readonly expiresAt: number | null
}

export interface KeyRing {
  /** `key` is the only copy of the secret there will ever be. */
  create(wanted: NewKey): Promise<{ readonly key: string; readonly stored: StoredKey }>
  /** Newest first. */
  list(): Promise<readonly StoredKey[]>
  /** False when there is no such key, or it is revoked already. */
  revoke(id: string): Promise<boolean>
}

export function createKeyRing(keys: KeyStore, pepper: Buffer, clock: Clock): KeyRing {
  return {
    async create({ projectId = DEFAULT_PROJECT, name, scopes, expiresAt }) {
      const { id, secret, key } = makeApiKey()
      const stored: StoredKey = {
        id,
        projectId,
        name,
        digest: digestSecret(pepper, secret),
        scopes,
        createdAt: seconds(clock),
        expiresAt,
        revokedAt: null,
      }
      await keys.insert(stored)
      return { key, stored }
    },
    list: () => keys.list(),
    revoke: (id) => keys.revoke(id, seconds(clock)),
  }
}
