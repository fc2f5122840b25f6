/** A client of a running server, for commands: calls, errors in the server's words, and forms with a file. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { Readable } from 'node:stream'
import { readFirstKey } from '../auth/secret-files.ts'
import { CommandError, type FileServer } from '../cli/app-interface.ts'
import type { ResolvedConfig } from '../config/resolved-config.ts'
import { typeByName } from '../lib/media-type.ts'

export type Json = Readonly<Record<string, unknown>>
type Method = 'GET' | 'POST' | 'DELETE'

/** Throws `ServerRefusal` with what the server said, `CommandError` where none answers. */
export interface ServerClient {
  call(method: Method, path: string, body?: Json): Promise<Json>
  upload(path: string, options: UploadOptions): Promise<Json>
  /** All objects of a list, page by page; `path` has a query with the size of a page. */
  list(path: string): AsyncIterable<Json>
}

export type UploadOptions = {
  readonly purpose: string
  readonly onProgress: (done: number, total: number) => void
}

/** The server has answered, and says no. */
export class ServerRefusal extends CommandError {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const BOUNDARY = 'antiphon-form-0000000000000000'

export function openServerClient(config: ResolvedConfig, { url, key }: FileServer): ServerClient {
  const base = url ?? `http://${hostOf(config.server.host)}:${config.server.port}`
  const secret = key ?? config.keys[0]?.key ?? readFirstKey(config.storage.dataDir)
  const headers: Record<string, string> = secret === null ? {} : { authorization: `Bearer ${secret}` }
  const call = (method: Method, path: string, body?: Body) =>
    ask(base, { method, path, headers: { ...headers, ...body?.headers }, body: body?.body ?? null })
  return {
    call: (method, path, json) => call(method, path, json && makeJson(json)),
    async upload(path, { purpose, onProgress }) {
      const { size } = await stat(path).catch((error) => {
        throw new CommandError(`cannot read ${path} (${codeOf(error)})`)
      })
      return call('POST', '/v1/files', makeForm(path, size, purpose, onProgress))
    },
    async *list(path) {
      for (let after = ''; ; ) {
        const page = await call('GET', `${path}&order=asc${after}`)
        const data: unknown = page.data
        if (!Array.isArray(data)) throw noServer(base)
        yield* data.filter(isJson)
        if (page.has_more !== true) return
        after = `&after=${String(page.last_id)}`
      }
    },
  }
}

/** What listens everywhere is reached on this computer. */
const hostOf = (host: string): string => {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

type Body = { readonly headers: Readonly<Record<string, string>>; readonly body: Readable | string }

const makeJson = (json: Json): Body => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(json),
})

/** Of a known length, so that a server which takes no such file says so before it is sent. */
function makeForm(
  path: string,
  size: number,
  purpose: string,
  onProgress: (done: number, total: number) => void,
): Body {
  const name = encodeURIComponent(basename(path))
  const head =
    `--${BOUNDARY}\r\ncontent-disposition: form-data; name="purpose"\r\n\r\n${purpose}\r\n` +
    `--${BOUNDARY}\r\ncontent-disposition: form-data; name="file"; filename="file"; filename*=UTF-8''${name}\r\n` +
    `content-type: ${typeByName(path)}\r\n\r\n`
  const tail = `\r\n--${BOUNDARY}--\r\n`
  async function* body() {
    yield Buffer.from(head)
    let done = 0
    // No more than was announced, should the file grow meanwhile.
    for await (const chunk of createReadStream(path, { end: Math.max(0, size - 1), highWaterMark: 256 * 1024 })) {
      if (size > 0) yield chunk
      done += chunk.length
      onProgress(Math.min(done, size), size)
    }
    yield Buffer.from(tail)
  }
  const length = Buffer.byteLength(head) + size + Buffer.byteLength(tail)
  return {
    headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}`, 'content-length': String(length) },
    body: Readable.from(body()),
  }
}

type Asked = {
  readonly method: Method
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Readable | string | null
}

async function ask(base: string, { path, ...options }: Asked): Promise<Json> {
  const { request } = await import('undici')
  const reply = await request(`${base}${path}`, { ...options, headersTimeout: 0 }).catch((error: unknown) => {
    throw noServer(base, error)
  })
  const text = await reply.body.text()
  const json = parse(text)
  if (reply.statusCode === 200 && json !== null) return json
  const message = isJson(json?.error) ? json.error.message : null
  if (typeof message !== 'string') throw noServer(base)
  throw new ServerRefusal(reply.statusCode, message)
}

function parse(text: string): Json | null {
  try {
    const value: unknown = JSON.parse(text)
    return isJson(value) ? value : null
  } catch {
    return null
  }
}

export const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null

const noServer = (base: string, cause?: unknown) =>
  new CommandError(`no Antiphon answers at ${base}; start one, or name another by --url`, { cause })

const codeOf = (error: unknown) =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unreadable'
