/** Authenticated encryption of small texts that travel through clients and must come back unchanged. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

export interface SealedBox {
  /** `context` is bound to the result but not contained in it: opening needs the same. */
  seal(text: string, context: string): string
  /** Null when it was not sealed here, for this context, was changed, or its key is gone. */
  open(sealed: string, context: string): string | null
}

export type SealingKey = {
  /** Stands in every blob, in the clear: letters and digits. */
  readonly id: string
  /** 32 random bytes. */
  readonly secret: Uint8Array
}

const ALGORITHM = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** Tells our blobs from others', and this layout from later ones. */
const VERSION = 'apn2'
/** `apn2.<key id>.<nonce, text and tag in base64url>` */
const BLOB = /^apn2\.([A-Za-z0-9]{1,32})\.([A-Za-z0-9_-]+)$/

/**
 * AES-256-GCM under sub-keys of the given keys that are used for nothing but `purpose`. The first key seals, all open, so
 * a key can be replaced while what it sealed is still in use. Version, key id and context are authenticated.
 */
export function createSealedBox(keys: readonly SealingKey[], purpose: string): SealedBox {
  const derived = new Map(keys.map(({ id, secret }) => [id, deriveKey(secret, purpose)]))
  const [current] = derived
  if (current === undefined) throw new RangeError('a sealed box needs a key')
  const [currentId, currentKey] = current
  return {
    seal(text, context) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv(ALGORITHM, currentKey, nonce)
      cipher.setAAD(authenticated(currentId, context))
      const body = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return `${VERSION}.${currentId}.${body.toString('base64url')}`
    },
    open(sealed, context) {
      const [, id = '', encoded = ''] = BLOB.exec(sealed) ?? []
      const key = derived.get(id)
      const body = Buffer.from(encoded, 'base64url')
      if (key === undefined || body.length < NONCE_BYTES + TAG_BYTES) return null
      // Unused bits of the last character would let one blob be written in several ways.
      if (body.toString('base64url') !== encoded) return null
      return decrypt(body, key, authenticated(id, context))
    },
  }
}

const deriveKey = (secret: Uint8Array, purpose: string) =>
  Buffer.from(hkdfSync('sha256', secret, new Uint8Array(0), `antiphon ${purpose}`, 32))

/** Key ids hold no line break, so no two triples of version, key id and context are written alike. */
const authenticated = (keyId: string, context: string) => Buffer.from(`${VERSION}\n${keyId}\n${context}`)

function decrypt(body: Buffer, key: Buffer, authenticatedData: Buffer): string | null {
  const decipher = createDecipheriv(ALGORITHM, key, body.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
  decipher.setAAD(authenticatedData)
  decipher.setAuthTag(body.subarray(-TAG_BYTES))
  try {
    return decipher.update(body.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
  } catch {
    return null
  }
}
