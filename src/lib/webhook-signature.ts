/** Signatures of the Standard Webhooks scheme, as the `webhooks.unwrap` of the official SDKs verifies them. */
import { createHmac, randomBytes } from 'node:crypto'

/** What stands before a secret that is base64; any other secret is used as it is written. */
const BASE64_PREFIX = 'whsec_'
const SECRET_BYTES = 32

export type SignedMessage = {
  /** The same for every attempt: receivers know repetitions by it. */
  readonly id: string
  /** Of this attempt, seconds since the epoch: receivers refuse what is more than five minutes off. */
  readonly timestamp: number
  readonly body: string
}

export const newWebhookSecret = (): string => `${BASE64_PREFIX}${randomBytes(SECRET_BYTES).toString('base64')}`

/** One signature for each secret: while a secret is replaced, receivers may hold the old one or the new one. */
export const signWebhook = (message: SignedMessage, secrets: readonly string[]): string =>
  secrets.map((secret) => `v1,${signatureOf(message, secret)}`).join(' ')

const signatureOf = ({ id, timestamp, body }: SignedMessage, secret: string) =>
  createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest('base64')

const keyOf = (secret: string): Buffer =>
  secret.startsWith(BASE64_PREFIX) ? Buffer.from(secret.slice(BASE64_PREFIX.length), 'base64') : Buffer.from(secret)
