/** PORT: who is asking. Plain data, made once per request at the edge and passed down. */
import type { KeyScope } from '../store/store.ts'

export type Principal = {
  readonly projectId: string
  readonly keyId: string
  readonly scopes: ReadonlySet<KeyScope>
}

export interface Authenticator {
  /**
   * Resolves the credential of one request. `authorization`: the raw header, null when absent; `address`: the peer's
   * IP, for the limit on bad keys. Throws `ApiError` 401 (missing or wrong key), 429 (too many wrong keys) or 503
   * (the store cannot say).
   */
  authenticate(authorization: string | null, address: string): Promise<Principal>
}
