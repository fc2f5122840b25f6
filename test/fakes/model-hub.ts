/**
 * A hub of models on 127.0.0.1, as the public one answers: a list of files, a redirect to where the bytes are, ranges.
 * What it does wrong is chosen by the test.
 */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type HubFaults = {
  /** The connection is cut after so many bytes of the file, as often as `times` says. */
  cutAt?: number
  times?: number
  /** Waited for before the connection is cut; `sent`: where in the file it is. */
  beforeCut?: (sent: number) => Promise<void>
  /** What the list says, instead of the truth. */
  listedSize?: number
  listedSha256?: string
  /** What the reply's own headers say. */
  announcedSize?: number
  linkedSha256?: string
  ignoresRange?: boolean
  /** Where the redirect leads, instead of to the bytes. */
  redirectTo?: string
  status?: number
}

export type HubRequest = {
  readonly path: string
  readonly range: string | null
  readonly authorization: string | null
}

export interface ModelHub extends AsyncDisposable {
  readonly endpoint: string
  /** A second origin, where redirects lead. */
  readonly store: string
  readonly requests: HubRequest[]
  faults: HubFaults
  /** Replaces a file; the hub then has another version of it. */
  put(path: string, bytes: Uint8Array): void
}

export async function openModelHub(files: Readonly<Record<string, Uint8Array>>): Promise<ModelHub> {
  const held = new Map(Object.entries(files))
  const requests: HubRequest[] = []
  const hub: { faults: HubFaults } = { faults: {} }
  const note = (request: IncomingMessage) =>
    requests.push({
      path: request.url ?? '',
      range: request.headers.range ?? null,
      authorization: request.headers.authorization ?? null,
    })
  const store = await listen((request, response) => {
    note(request)
    const bytes = held.get(decodeURIComponent((request.url ?? '').slice('/bytes/'.length)))
    if (bytes === undefined) return reply(response, 404, {})
    sendBytes(request, response, bytes, hub.faults)
  })
  const front = await listen((request, response) => {
    note(request)
    const { faults } = hub
    if (faults.status !== undefined) return reply(response, faults.status, {})
    const url = request.url ?? ''
    if (url.startsWith('/api/models/')) return sendList(response, held, faults)
    const path = decodeURIComponent(url.split('/resolve/main/')[1] ?? '')
    const bytes = held.get(path)
    if (bytes === undefined) return reply(response, 404, {})
    reply(response, 302, {
      location: faults.redirectTo ?? `${store.origin}/bytes/${encodeURIComponent(path)}`,
      'x-linked-etag': `"${faults.linkedSha256 ?? sha256(bytes)}"`,
      'x-linked-size': String(faults.announcedSize ?? bytes.length),
    })
  })
  return {
    endpoint: front.origin,
    store: store.origin,
    requests,
    get faults() {
      return hub.faults
    },
    set faults(faults) {
      hub.faults = faults
    },
    put: (path, bytes) => held.set(path, bytes),
    async [Symbol.asyncDispose]() {
      await Promise.all([front.close(), store.close()])
    },
  }
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void

async function listen(handler: Handler) {
  const server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { origin: `http://127.0.0.1:${port}`, close }
}

function reply(response: ServerResponse, status: number, headers: Readonly<Record<string, string>>): void {
  response.writeHead(status, headers).end()
}

function sendList(response: ServerResponse, files: ReadonlyMap<string, Uint8Array>, faults: HubFaults): void {
  const rows = [...files].map(([path, bytes]) => ({
    type: 'file',
    path,
    size: faults.listedSize ?? bytes.length,
    lfs: { oid: faults.listedSha256 ?? sha256(bytes), size: bytes.length, pointerSize: 134 },
  }))
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(rows))
}

function sendBytes(request: IncomingMessage, response: ServerResponse, bytes: Uint8Array, faults: HubFaults): void {
  const etag = `"${sha256(bytes).slice(0, 16)}"`
  const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1]
  const isSame = request.headers['if-range'] === undefined || request.headers['if-range'] === etag
  const start = asked !== undefined && isSame && !faults.ignoresRange ? Number(asked) : 0
  if (start > 0 && start >= bytes.length) {
    reply(response, 416, { 'content-range': `bytes */${bytes.length}` })
    return
  }
  const body = bytes.subarray(start)
  response.writeHead(start > 0 ? 206 : 200, {
    etag,
    'content-length': String((faults.announcedSize ?? bytes.length) - start),
    ...(start > 0 && { 'content-range': `bytes ${start}-${bytes.length - 1}/${faults.announcedSize ?? bytes.length}` }),
  })
  const { cutAt, times = Number.POSITIVE_INFINITY } = faults
  if (cutAt === undefined || times <= 0) {
    response.end(body)
    return
  }
  faults.times = times - 1
  const cut = async () => {
    await faults.beforeCut?.(Math.min(start + cutAt, bytes.length))
    response.destroy()
  }
  response.write(body.subarray(0, cutAt), () => void cut())
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
