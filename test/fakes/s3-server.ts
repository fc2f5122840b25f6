/**
 * An object storage on loopback that is strict where S3 is: signatures, digests of bodies, sizes and order of parts. Its
 * check of the signature is its own, written from the specification.
 */
import { createHash, createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export const S3_KEYS = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'secret/of+the=fake',
  sessionToken: null,
} as const
export const S3_REGION = 'eu-test-1'
export const S3_BUCKET = 'bucket'

/** What happens to a request in the place of its answer. */
export type S3Fault =
  | { readonly type: 'refuse'; readonly status: number; readonly code: string }
  | { readonly type: 'drop' | 'silence' | 'cut-body' | 'lost-answer' | 'error-in-200' | 'garbage' }

export type FakeS3 = {
  readonly url: string
  /** Whole objects by key. */
  readonly objects: Map<string, Buffer>
  /** Unfinished uploads: id -> key. */
  readonly uploads: ReadonlyMap<string, string>
  /** `PUT object`, `POST uploads`, ... in their order. */
  readonly requests: readonly string[]
  /** The largest body it was sent. */
  readonly largestBody: number
  /** Asked of every request before it is answered. */
  fault: (operation: string, count: number) => S3Fault | null
  close(): Promise<void>
}

const MIN_PART_BYTES = 5 * 1024 * 1024
const MAX_SKEW_MS = 15 * 60_000

type Upload = { readonly key: string; readonly parts: Map<number, { etag: string; body: Buffer }> }

class Refusal extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string) {
    super(code)
    this.status = status
    this.code = code
  }
}

export async function startFakeS3(): Promise<FakeS3> {
  const state = { objects: new Map<string, Buffer>(), uploads: new Map<string, Upload>(), next: 1 }
  const requests: string[] = []
  const counts = new Map<string, number>()
  const fake = { largestBody: 0, fault: (_operation: string, _count: number): S3Fault | null => null }
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy())
  })
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', `http://${request.headers.host}`)
    const operation = operationOf(request.method ?? '', url)
    requests.push(operation)
    const count = (counts.get(operation) ?? 0) + 1
    counts.set(operation, count)
    const fault = fake.fault(operation, count)
    if (fault?.type === 'drop') return void request.socket.destroy()
    const body = await readBody(request)
    fake.largestBody = Math.max(fake.largestBody, body.length)
    if (fault?.type === 'silence') return
    if (fault?.type === 'refuse') return refuse(response, new Refusal(fault.status, fault.code))
    try {
      checkSignature(request, url, body)
      const answer = answerTo(operation, url, body, state)
      if (fault?.type === 'lost-answer') return void request.socket.destroy()
      if (fault?.type === 'error-in-200') return void response.end('<Error><Code>InternalError</Code></Error>')
      if (fault?.type === 'garbage') return void response.end('<html>who are you?</html>')
      response.writeHead(answer.status, { ...answer.headers, 'content-length': answer.body.length })
      if (fault?.type === 'cut-body') {
        response.write(answer.body.subarray(0, answer.body.length / 2), () => request.socket.destroy())
      } else response.end(answer.body)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      refuse(response, error)
    }
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    get largestBody() {
      return fake.largestBody
    },
    get fault() {
      return fake.fault
    },
    set fault(fault) {
      fake.fault = fault
    },
    url: `http://127.0.0.1:${port}`,
    objects: state.objects,
    get uploads() {
      return new Map([...state.uploads].map(([id, { key }]) => [id, key]))
    },
    requests,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function operationOf(method: string, { pathname, searchParams }: URL): string {
  if (searchParams.has('partNumber')) return `${method} part`
  if (searchParams.has('uploadId')) return `${method} upload`
  if (searchParams.has('uploads')) return `${method} uploads`
  return pathname.split('/').length > 2 ? `${method} object` : `${method} bucket`
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function refuse(response: ServerResponse, { status, code }: Refusal): void {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>because &amp; so</Message></Error>`
  response.writeHead(status, { 'content-type': 'application/xml', 'content-length': body.length })
  response.end(body)
}

const sha256 = (data: Buffer | string) => createHash('sha256').update(data).digest('hex')
const hmac = (key: Buffer | string, data: string) => createHmac('sha256', key).update(data).digest()
const uriEncode = (text: string) =>
  [...Buffer.from(text)]
    .map((byte) => {
      const char = String.fromCharCode(byte)
      return /[A-Za-z0-9\-._~]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
    })
    .join('')

/** Step by step as the specification has it, from what arrived. */
function checkSignature(request: IncomingMessage, url: URL, body: Buffer): void {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request,\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization ?? '',
    )
  if (!match) throw new Refusal(403, 'AccessDenied')
  const [, accessKeyId, day = '', region = '', signedHeaders = '', signature] = match
  if (accessKeyId !== S3_KEYS.accessKeyId) throw new Refusal(403, 'InvalidAccessKeyId')
  if (region !== S3_REGION) throw new Refusal(400, 'AuthorizationHeaderMalformed')
  const headerOf = (name: string) => String(request.headers[name] ?? '').trim()
  const date = headerOf('x-amz-date')
  const sent = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  if (!(Math.abs(Date.now() - sent) < MAX_SKEW_MS)) throw new Refusal(403, 'RequestTimeTooSkewed')
  const names = signedHeaders.split(';')
  if (!names.includes('host') || !names.includes('x-amz-date')) throw new Refusal(403, 'AccessDenied')
  const digest = headerOf('x-amz-content-sha256')
  if (digest !== sha256(body)) throw new Refusal(400, 'XAmzContentSHA256Mismatch')
  const rawPath = (request.url ?? '').split('?', 1)[0] ?? ''
  const path = rawPath
    .split('/')
    .map((part) => uriEncode(decodeURIComponent(part)))
    .join('/')
  const query = [...url.searchParams].map(([name, value]) => `${uriEncode(name)}=${uriEncode(value)}`).sort()
  const headers = names.map((name) => `${name}:${headerOf(name)}\n`).join('')
  const canonical = `${request.method}\n${path}\n${query.join('&')}\n${headers}\n${signedHeaders}\n${digest}`
  const scope = `${day}/${region}/s3/aws4_request`
  const dayKey = hmac(`AWS4${S3_KEYS.secretAccessKey}`, day)
  const key = hmac(hmac(hmac(dayKey, region), 's3'), 'aws4_request')
  const expected = hmac(key, `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(canonical)}`).toString('hex')
  if (expected !== signature) throw new Refusal(403, 'SignatureDoesNotMatch')
}

type State = { objects: Map<string, Buffer>; uploads: Map<string, Upload>; next: number }
type Answer = { readonly status: number; readonly headers: Record<string, string>; readonly body: Buffer }

const answer = (body: Buffer | string = '', status = 200, headers: Record<string, string> = {}): Answer => ({
  status,
  headers,
  body: typeof body === 'string' ? Buffer.from(body) : body,
})

function answerTo(operation: string, url: URL, body: Buffer, state: State): Answer {
  const [, bucket, ...rest] = url.pathname.split('/').map(decodeURIComponent)
  if (bucket !== S3_BUCKET) throw new Refusal(404, 'NoSuchBucket')
  const key = rest.join('/')
  const upload = state.uploads.get(url.searchParams.get('uploadId') ?? '')
  if (/ (part|upload)$/.test(operation) && upload?.key !== key) throw new Refusal(404, 'NoSuchUpload')
  switch (operation) {
    case 'PUT object':
      state.objects.set(key, body)
      return answer()
    case 'GET object': {
      const found = state.objects.get(key)
      if (!found) throw new Refusal(404, 'NoSuchKey')
      return answer(found)
    }
    case 'DELETE object':
      state.objects.delete(key)
      return answer('', 204)
    case 'POST uploads': {
      const id = `upload ${state.next++} & "co"`
      state.uploads.set(id, { key, parts: new Map() })
      return answer(`<InitiateMultipartUploadResult><UploadId>${toXml(id)}</UploadId></InitiateMultipartUploadResult>`)
    }
    case 'GET uploads':
      return answer(listUploads(url.searchParams.get('prefix') ?? '', state))
    case 'PUT part': {
      const etag = `"${createHash('md5').update(body).digest('hex')}"`
      upload?.parts.set(Number(url.searchParams.get('partNumber')), { etag, body })
      return answer('', 200, { etag })
    }
    case 'POST upload':
      return completeUpload(url, key, body, state)
    case 'DELETE upload':
      state.uploads.delete(url.searchParams.get('uploadId') ?? '')
      return answer('', 204)
    default:
      throw new Refusal(405, 'MethodNotAllowed')
  }
}

const toXml = (text: string) => text.replaceAll('&', '&amp;').replaceAll('"', '&#34;')

function listUploads(prefix: string, { uploads }: State): string {
  const found = [...uploads].filter(([, { key }]) => key.startsWith(prefix))
  const entries = found.map(([id, { key }]) => `<Upload><Key>${key}</Key><UploadId>${toXml(id)}</UploadId></Upload>`)
  return `<ListMultipartUploadsResult><Prefix>${prefix}</Prefix>${entries.join('')}</ListMultipartUploadsResult>`
}

function completeUpload(url: URL, key: string, body: Buffer, state: State): Answer {
  const id = url.searchParams.get('uploadId') ?? ''
  const parts = state.uploads.get(id)?.parts ?? new Map()
  const named = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>([^<]*)<\/ETag>/g)]
  const chosen = named.map(([, number, etag], at) => {
    const part = parts.get(Number(number))
    if (Number(number) !== at + 1) throw new Refusal(400, 'InvalidPartOrder')
    if (part?.etag !== etag?.replaceAll('&#34;', '"')) throw new Refusal(400, 'InvalidPart')
    if (at < named.length - 1 && part.body.length < MIN_PART_BYTES) throw new Refusal(400, 'EntityTooSmall')
    return part.body
  })
  if (chosen.length === 0) throw new Refusal(400, 'MalformedXML')
  state.objects.set(key, Buffer.concat(chosen))
  state.uploads.delete(id)
  return answer('<CompleteMultipartUploadResult><ETag>"x-2"</ETag></CompleteMultipartUploadResult>')
}
