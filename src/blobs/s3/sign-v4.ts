/** AWS Signature Version 4, as S3 wants it: every header named here is signed, and the digest of the body with them. */
import { createHash, createHmac } from 'node:crypto'

export type S3Credentials = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Of temporary credentials; null: none. */
  readonly sessionToken: string | null
}

export type UnsignedRequest = {
  readonly method: string
  readonly url: URL
  readonly body: Uint8Array
}

const sha256 = (data: Uint8Array | string) => createHash('sha256').update(data).digest('hex')
const hmac = (key: Uint8Array | string, data: string) => createHmac('sha256', key).update(data).digest()

/** All headers of the request but `host`, which follows from its URL. */
export function signV4(
  { method, url, body }: UnsignedRequest,
  { accessKeyId, secretAccessKey, sessionToken }: S3Credentials,
  { region, at }: { readonly region: string; readonly at: Date },
): Record<string, string> {
  const time = at.toISOString().replace(/[-:]|\.\d{3}/g, '')
  const day = time.slice(0, 8)
  const digest = sha256(body)
  const headers: Record<string, string> = {
    'x-amz-content-sha256': digest,
    'x-amz-date': time,
    ...(sessionToken !== null && { 'x-amz-security-token': sessionToken }),
  }
  const signed: Record<string, string> = { host: url.host, ...headers }
  const names = Object.keys(signed).sort()
  const lines = names.map((name) => `${name}:${signed[name]}\n`).join('')
  const canonical = [method, canonicalPath(url), canonicalQuery(url), lines, names.join(';'), digest].join('\n')
  const scope = `${day}/${region}/s3/aws4_request`
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n')
  const key = [region, 's3', 'aws4_request'].reduce<Uint8Array>(hmac, hmac(`AWS4${secretAccessKey}`, day))
  const signature = hmac(key, toSign).toString('hex')
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope},SignedHeaders=${names.join(';')},Signature=${signature}`,
  }
}

/** Everything but letters, digits and `-._~`; more than a URL asks for. */
export const encodeStrictly = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

const canonicalPath = ({ pathname }: URL) =>
  pathname
    .split('/')
    .map((segment) => encodeStrictly(decodeURIComponent(segment)))
    .join('/')

const canonicalQuery = ({ searchParams }: URL) =>
  [...searchParams]
    .map(([name, value]) => `${encodeStrictly(name)}=${encodeStrictly(value)}`)
    .sort()
    .join('&')
