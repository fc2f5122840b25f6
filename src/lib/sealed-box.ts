/** Authenticated encryption of small texts that travel through clients and must come back unchanged. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

export interface SealedBox {
  /** `context` is bound to the result but not contained in it: opening needs the same. */
  seal(text: string, context: string): string
  /** Null when it was not sealed here, for this context, or was changed. */
  open(sealed: string, context: string): string | null
}

const ALGORITHM = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** Tells our blobs from others', and this layout from later ones. */
const PREFIX = 'apn1.'

/** AES-256-GCM under a sub-key of `masterKey` (32 bytes) that is used for nothing but `purpose`. */
export function createSealedBox(masterKey: Uint8Array, purpose: string): SealedBox {
  const key = Buffer.from(hkdfSync('sha256', masterKey, new Uint8Array(0), `antiphon ${purpose}`, 32))
  return {
    seal(text, context) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv(ALGORITHM, key, nonce)
      cipher.setAAD(Buffer.from(context))
      const body = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return PREFIX + body.toString('base64url')
    },
    open(sealed, context) {
      if (!sealed.startsWith(PREFIX)) return null
      const body = Buffer.from(sealed.slice(PREFIX.length), 'base64url')
      if (body.length < NONCE_BYTES + TAG_BYTES) return null
      if (body.toString('base64url') !== sealed.slice(PREFIX.length)) return null
      const decipher = createDecipheriv(ALGORITHM, key, body.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
      decipher.setAAD(Buffer.from(context))
      decipher.setAuthTag(body.subarray(-TAG_BYTES))
      try {
        return decipher.update(body.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
      } catch {
        return null
      }
    },
  }
}
