/**
 * API keys: `sk-antiphon-<id>_<secret><checksum>`, all base62.
 *
 * The id finds the row; the secret has 256 random bits, so a plain keyed digest is enough and a slow hash would only
 * be a way to overload the server. The checksum lets a typo or a key of somebody else be refused without the store.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const PREFIX = 'sk-antiphon-'
const ID_LENGTH = 12
/** 43 base62 digits hold 256 bits. */
const SECRET_LENGTH = 43
const CHECKSUM_LENGTH = 6
const PATTERN = /^sk-antiphon-([0-9A-Za-z]{12})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/

export const PEPPER_BYTES = 32

export type ApiKey = { readonly id: string; readonly secret: string }

/** A new key: its parts, and the text to show once. */
export function makeApiKey(): ApiKey & { readonly key: string } {
  const id = randomBase62(ID_LENGTH)
  const secret = randomBase62(SECRET_LENGTH)
  return { id, secret, key: `${PREFIX}${id}_${secret}${checksum(id, secret)}` }
}

/** Null for what is no key of this server's making. */
export function parseApiKey(key: string): ApiKey | null {
  const [, id, secret, check] = PATTERN.exec(key) ?? []
  if (id === undefined || secret === undefined || check !== checksum(id, secret)) return null
  return { id, secret }
}

/** What is stored of a secret: HMAC-SHA-256 under the server's pepper, hex. */
export const digestSecret = (pepper: Buffer, secret: string): string =>
  createHmac('sha256', pepper).update(secret).digest('hex')

function checksum(id: string, secret: string): string {
  let rest = crc32(`${id}_${secret}`)
  let digits = ''
  for (let i = 0; i < CHECKSUM_LENGTH; i += 1) {
    digits = `${ALPHABET[rest % ALPHABET.length]}${digits}`
    rest = Math.floor(rest / ALPHABET.length)
  }
  return digits
}

/** Bytes of 248 and more are thrown away: taken modulo 62 they would make the first letters likelier. */
function randomBase62(length: number): string {
  const limit = 256 - (256 % ALPHABET.length)
  let digits = ''
  while (digits.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < limit && digits.length < length) digits += ALPHABET[byte % ALPHABET.length]
    }
  }
  return digits
}
