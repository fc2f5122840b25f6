/**
 * An images endpoint on loopback, as OpenAI's writes its replies, and strict about what it is sent; and a chat model that
 * answers with pictures. It also fails in every way a real one does.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { encodePng } from '../../src/lib/png.ts'

export type ImagesRequest = {
  readonly path: string
  readonly authorization: string | undefined
  /** Fields of the JSON or of the form. */
  readonly fields: Readonly<Record<string, string>>
  /** Files of the form: their field and first bytes. */
  readonly files: readonly { readonly name: string; readonly type: string; readonly bytes: Buffer }[]
}

/** How the next calls are answered; `usual`: as they should be. */
export type ImagesMode =
  | 'usual'
  | 'url'
  | 'no-stream'
  | 'moderated'
  | 'cut-stream'
  | 'cut-json'
  | 'garbage'
  | 'no-json'
  | 'huge'
  | 'huge-stream'
  | 'endless'
  | 'silent'
  | 'error-event'
  | 'text-only'
  | { readonly status: number }
  | { readonly address: string }

export type ImagesUpstream = {
  /** With `/v1`. */
  readonly url: string
  readonly host: string
  readonly requests: readonly ImagesRequest[]
  mode: ImagesMode
  /** Connections that are open now. */
  openConnections(): Promise<number>
  close(): Promise<void>
}

export const KEY = 'images-secret-key'

/** A plain picture of one colour. */
export const plainPng = (colour: readonly [number, number, number], side = 32): Promise<Buffer> => {
  const data = Buffer.alloc(side * side * 4, 255)
  for (let at = 0; at < data.length; at += 4) data.set(colour, at)
  return encodePng({ width: side, height: side, data })
}

export async function startImagesUpstream(): Promise<ImagesUpstream> {
  const pictures = await Promise.all([plainPng([200, 30, 30]), plainPng([30, 160, 60]), plainPng([30, 60, 200])])
  const requests: ImagesRequest[] = []
  const server = createServer(async (request, reply) => {
    if (request.method === 'GET') {
      reply.writeHead(200, { 'content-type': 'image/png' }).end(pictures[2])
      return
    }
    const read = await readRequest(request)
    requests.push(read)
    const problem = problemOf(read)
    if (problem !== null) return sendError(reply, 400, problem)
    answer(reply, read, { mode: upstream.mode, pictures, host: upstream.host })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const upstream: ImagesUpstream = {
    url: `http://${host}/v1`,
    host,
    requests,
    mode: 'usual',
    openConnections: () => new Promise((resolve) => server.getConnections((_error, count) => resolve(count))),
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  return upstream
}

async function readRequest(request: IncomingMessage): Promise<ImagesRequest> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(Buffer.from(part))
  const body = Buffer.concat(parts)
  const type = request.headers['content-type'] ?? ''
  const shared = { path: request.url ?? '', authorization: request.headers.authorization }
  if (!type.startsWith('multipart/form-data')) {
    const fields = Object.entries(JSON.parse(body.toString('utf8'))).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ])
    return { ...shared, fields: Object.fromEntries(fields), files: [] }
  }
  // Read by the platform's own parser, so that nothing of ours checks itself.
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData()
  const fields: Record<string, string> = {}
  const files: ImagesRequest['files'][number][] = []
  for (const [name, value] of form) {
    if (typeof value === 'string') fields[name] = value
    else files.push({ name, type: value.type, bytes: Buffer.from(await value.arrayBuffer()) })
  }
  return { ...shared, fields, files }
}

const KNOWN: Readonly<Record<string, readonly string[]>> = {
  '/v1/images/generations': ['moderation'],
  '/v1/images/edits': ['input_fidelity'],
}
const SHARED = [
  ...['model', 'prompt', 'n', 'size', 'quality', 'background', 'output_format', 'output_compression'],
  ...['stream', 'partial_images', 'response_format'],
]

/** As the real endpoints refuse it. */
function problemOf({ path, fields, files, authorization }: ImagesRequest): string | null {
  if (authorization !== `Bearer ${KEY}`) return 'a wrong key'
  if (path === '/v1/chat/completions') return null
  const known = KNOWN[path]
  if (!known) return `Unknown path: ${path}`
  const unknown = Object.keys(fields).find((name) => !SHARED.includes(name) && !known.includes(name))
  if (unknown !== undefined) return `Unknown parameter: '${unknown}'.`
  if (!fields.prompt) return "Missing required parameter: 'prompt'."
  if (fields.response_format && fields.model?.startsWith('gpt-image')) return "Unknown parameter: 'response_format'."
  const images = files.filter(({ name }) => name === 'image' || name === 'image[]')
  if (path.endsWith('/edits') && images.length === 0) return "Missing required parameter: 'image'."
  return files.every(({ type }) => /^image\/(png|jpeg|webp)$/.test(type)) ? null : 'Invalid image file.'
}

function sendError(reply: ServerResponse, status: number, message: string, code: string | null = null): void {
  reply.writeHead(status, { 'content-type': 'application/json' })
  reply.end(JSON.stringify({ error: { message, type: 'image_generation_user_error', param: null, code } }))
}

type Answering = { readonly mode: ImagesMode; readonly pictures: readonly Buffer[]; readonly host: string }

function answer(reply: ServerResponse, request: ImagesRequest, answering: Answering): void {
  const { mode } = answering
  if (mode === 'silent') return
  if (mode === 'endless') endless(reply, '{"data":[{"b64_json":"')
  else if (mode === 'huge-stream') endless(reply, 'data: {"b64_json":"', 'text/event-stream')
  else if (mode === 'cut-json') {
    reply.writeHead(200, { 'content-type': 'application/json', 'content-length': '100000' })
    reply.write('{"created":1,"data":[{"b64_json":"iVBOR')
    setImmediate(() => reply.destroy())
  } else if (typeof mode === 'object' && 'status' in mode) {
    sendError(reply, mode.status, `status ${mode.status} of ${KEY}`)
  } else if (mode === 'moderated') {
    const message = `Your request was rejected by the safety system. (${KEY})`
    sendError(reply, 400, message, 'moderation_blocked')
  } else if (request.fields.stream === 'true' && STREAMED.has(mode)) streamed(reply, request, answering)
  else reply.writeHead(200, { 'content-type': 'application/json' }).end(wholeReply(request, answering))
}

const STREAMED: ReadonlySet<ImagesMode> = new Set(['usual', 'cut-stream', 'error-event'])
const SAID = { background: 'opaque', output_format: 'png', quality: 'high', size: '1024x1024' }

function wholeReply({ path }: ImagesRequest, { mode, pictures, host }: Answering): string {
  const inline = pictures[path.endsWith('/completions') ? 0 : 2]?.toString('base64') ?? ''
  const address = typeof mode === 'object' && 'address' in mode ? mode.address : `http://${host}/made.png`
  const isAddress = mode === 'url' || typeof mode === 'object'
  if (mode === 'no-json') return '<html>busy</html>'
  if (path.endsWith('/completions'))
    return JSON.stringify(chatReply(mode, isAddress ? address : `data:image/png;base64,${inline}`))
  if (isAddress) return JSON.stringify({ created: 1, data: [{ url: address }] })
  const b64_json = mode === 'garbage' ? btoa('no picture') : mode === 'huge' ? inline + 'A'.repeat(3_000_000) : inline
  return JSON.stringify({ created: 1_770_000_000, ...SAID, data: [{ b64_json }], usage: USAGE })
}

const USAGE = {
  input_tokens: 20,
  output_tokens: 1056,
  total_tokens: 1076,
  input_tokens_details: { text_tokens: 20, image_tokens: 0 },
}

function chatReply(mode: ImagesMode, url: string): object {
  const text = mode === 'text-only' ? 'I only talk.' : ''
  const images = mode === 'text-only' ? [] : [{ type: 'image_url', index: 0, image_url: { url } }]
  const message = { role: 'assistant', content: text, images }
  return { id: 'gen-1', object: 'chat.completion', choices: [{ index: 0, finish_reason: 'stop', message }] }
}

function streamed(reply: ServerResponse, request: ImagesRequest, { mode, pictures }: Answering): void {
  const b64 = (index: number) => pictures[index]?.toString('base64')
  const family = request.path.endsWith('/edits') ? 'image_edit' : 'image_generation'
  const frame = (type: string, fields: object) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, created_at: 1_770_000_000, ...SAID, ...fields })}\n\n`
  reply.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
  const wanted = Number(request.fields.partial_images)
  // One more than was asked for: some do.
  for (let index = 0; index <= wanted; index += 1)
    reply.write(frame(`${family}.partial_image`, { partial_image_index: index, b64_json: b64(index % 2) }))
  if (mode === 'cut-stream') {
    setImmediate(() => reply.destroy())
    return
  }
  if (mode === 'error-event')
    return void reply.end(
      `event: error\ndata: ${JSON.stringify({ type: 'error', error: { message: `no (${KEY})` } })}\n\n`,
    )
  reply.end(frame(`${family}.completed`, { b64_json: b64(2), usage: USAGE }))
}

function endless(reply: ServerResponse, head: string, type = 'application/json'): void {
  reply.writeHead(200, { 'content-type': type })
  reply.write(head)
  const piece = 'A'.repeat(65_536)
  const more = () => {
    while (!reply.destroyed) {
      if (!reply.write(piece)) return void reply.once('drain', more)
    }
  }
  more()
}
