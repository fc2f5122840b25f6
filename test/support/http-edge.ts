/** For the tests of the edge: a real server on a real socket, in front of a scripted engine. */

import { once } from 'node:events'
import { connect } from 'node:net'
import type { TestContext } from 'node:test'
import type { Authenticator } from '../../src/auth/principal.ts'
import { createActiveRequests } from '../../src/http/active-requests.ts'
import { createHttpServer, type HttpServer, type HttpServerOptions } from '../../src/http/http-server.ts'
import { DEFAULT_HTTP_LIMITS } from '../../src/http/limits.ts'
import { createReplier } from '../../src/http/replier.ts'
import type { RoutePorts } from '../../src/http/routes/route-ports.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { createCountingIds } from '../../src/lib/ids.ts'
import type { ModelCatalog, ModelEntry } from '../../src/models/catalog.ts'
import type { EmbedderCatalog } from '../../src/models/embedder.ts'
import { validateChatCompletion } from '../../src/protocol/chat/validate-chat.ts'
import { validateEmbeddings } from '../../src/protocol/embeddings.ts'
import { ApiError, invalidKey, missingKey } from '../../src/protocol/errors.ts'
import { readFileFields } from '../../src/protocol/read-file-form.ts'
import { validateCompleteUpload, validateCreateUpload } from '../../src/protocol/validate-upload.ts'
import {
  validateAttachFile,
  validateCreateFileBatch,
  validateCreateVectorStore,
  validateSearchVectorStore,
  validateUpdateAttributes,
  validateUpdateVectorStore,
} from '../../src/protocol/validate-vector-store.ts'
import { silentTelemetry, type Telemetry } from '../../src/telemetry/telemetry.ts'
import { createScriptedEngine, type ScriptedEngine } from './scripted-engine.ts'

export const KEY = 'Bearer full'

const capabilities: ModelEntry['capabilities'] = {
  contextWindow: 1000,
  maxOutputTokens: 100,
  imageInput: false,
  fileInput: false,
  functionTools: true,
  customTools: false,
  structuredOutput: true,
  reasoning: true,
  logprobs: false,
}
const MODELS: readonly ModelEntry[] = ['demo', 'vendor/family/model-1'].map((id) => ({
  id,
  created: 1,
  ownedBy: 'test',
  capabilities,
}))
const embedders: EmbedderCatalog = { resolve: async () => null, list: async () => [] }
const catalog: ModelCatalog = {
  resolve: async () => null,
  list: async () => MODELS,
  get: async (id) => MODELS.find((entry) => entry.id === id) ?? null,
}

/** `Bearer full`, `Bearer read` and `Bearer admin`; anything else is refused. */
const authenticator: Authenticator = {
  async authenticate(authorization) {
    if (authorization === null) throw missingKey()
    const of = (...scopes: ('responses' | 'read' | 'admin')[]) => ({
      projectId: 'proj_1',
      keyId: `key_${authorization}`,
      scopes: new Set(scopes),
    })
    if (authorization === KEY) return of('responses')
    if (authorization === 'Bearer read') return of('read')
    if (authorization === 'Bearer admin') return of('admin')
    throw invalidKey()
  },
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/** Stands for the compiled validation: takes what the tests of the edge send. */
const validate: HttpServerOptions['validate'] = {
  createResponse(body) {
    if (!isRecord(body)) throw new Error('the edge handed on a body that is no object')
    if (body.input === 42) throw new ApiError({ status: 400, param: 'input', code: 'invalid_type', message: 'no' })
    return { request: body, warnings: body.warn === true ? ['Ünknown field, 100% ignored\r\nx: y'] : [] }
  },
  chatCompletion: (body) => validateChatCompletion(body, { unknownParams: 'warn' }),
  embeddings: (body) => validateEmbeddings(body, { unknownParams: 'warn' }),
  countInputTokens: (body) => ({ request: isRecord(body) ? body : {}, warnings: [] }),
  createPrompt: (body) => (isRecord(body) ? body : {}),
  updatePrompt: (body) => (isRecord(body) ? body : {}),
  compact: (body) => ({ request: isRecord(body) ? body : {}, warnings: [] }),
  createConversation: (body) => ({ request: isRecord(body) ? body : {}, warnings: [] }),
  updateConversation: () => ({ request: { metadata: {} }, warnings: [] }),
  addConversationItems: () => ({ request: { items: [] }, warnings: [] }),
  fileFields: (fields) => readFileFields(fields, { unknownParams: 'warn' }),
  createUpload: (body) => validateCreateUpload(body, { unknownParams: 'warn' }),
  completeUpload: (body) => validateCompleteUpload(body, { unknownParams: 'warn' }),
  createVectorStore: (body) => validateCreateVectorStore(body, { unknownParams: 'warn' }),
  updateVectorStore: (body) => validateUpdateVectorStore(body, { unknownParams: 'warn' }),
  searchVectorStore: (body) => validateSearchVectorStore(body, { unknownParams: 'warn' }),
  attachFile: (body) => validateAttachFile(body, { unknownParams: 'warn' }),
  updateAttributes: (body) => validateUpdateAttributes(body, { unknownParams: 'warn' }),
  createFileBatch: (body) => validateCreateFileBatch(body, { unknownParams: 'warn' }),
}

const unused = async () => {
  throw new Error('the tests of the edge ask nothing of webhooks, containers and vector stores')
}
const webhooks: HttpServerOptions['webhooks'] = {
  create: unused,
  get: unused,
  list: unused,
  update: unused,
  delete: unused,
  rotateSecret: unused,
  test: unused,
  listDeliveries: unused,
  redeliver: unused,
}

const containers: HttpServerOptions['containers'] = {
  create: unused,
  list: unused,
  get: unused,
  delete: unused,
  listFiles: unused,
  getFile: unused,
  deleteFile: unused,
  readFile: unused,
  createFile: unused,
  copyFile: unused,
}

const vectorStores: HttpServerOptions['vectorStores'] = {
  create: unused,
  get: unused,
  list: unused,
  update: unused,
  delete: unused,
  search: unused,
  files: { attach: unused, get: unused, list: unused, update: unused, detach: unused, content: unused },
  batches: { create: unused, get: unused, cancel: unused, list: unused },
}

/** For tests of the routes as data; nothing in it is called. */
export const routePorts = (): RoutePorts => ({
  engine: createScriptedEngine(),
  webhooks,
  containers,
  vectorStores,
  catalog,
  embedders,
  validate,
  telemetry: silentTelemetry,
  clock: systemClock,
  ids: createCountingIds(),
  limits: DEFAULT_HTTP_LIMITS,
  replier: createReplier({
    clock: systemClock,
    ids: createCountingIds(),
    telemetry: silentTelemetry,
    limits: DEFAULT_HTTP_LIMITS,
    active: createActiveRequests(),
    isDraining: () => false,
  }),
  openMetrics: false,
  openapiDocument: async () => ({}),
  metrics: async () => ({ contentType: 'text/plain', body: '' }),
  readiness: async () => ({ ready: true, reasons: [] }),
  isDraining: () => false,
  version: '0',
})

export type Started = {
  readonly url: string
  readonly port: number
  readonly server: HttpServer
  readonly engine: ScriptedEngine
  readonly log: {
    readonly finished: Parameters<Telemetry['requestFinished']>[0][]
    readonly failures: unknown[]
    streams: number
  }
}

type Overrides = Partial<Omit<HttpServerOptions, 'engine'>> & {
  readonly engine?: ScriptedEngine
  readonly host?: string
}

/** A listening server that is closed after the test. */
export async function startServer(t: TestContext, overrides: Overrides = {}): Promise<Started> {
  const engine = overrides.engine ?? createScriptedEngine()
  const log: Started['log'] = { finished: [], failures: [], streams: 0 }
  const telemetry: Telemetry = {
    ...silentTelemetry,
    requestFinished: (event) => log.finished.push(event),
    failed: (event) => log.failures.push(event.error),
    streamOpened: () => log.streams++,
    streamClosed: () => log.streams--,
  }
  const server = createHttpServer({
    catalog,
    embedders,
    authenticator,
    telemetry,
    validate,
    clock: systemClock,
    ids: createCountingIds(),
    openapiDocument: async () => ({ openapi: '3.1.0' }),
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', body: 'antiphon_up 1\n' }),
    readiness: async () => ({ ready: true, reasons: [] }),
    version: '9.9.9',
    ...overrides,
    limits: { shutdownGraceMs: 200, ...overrides.limits },
    engine,
    vectorStores,
    webhooks,
    containers,
  })
  t.after(() => server.close())
  const { port } = await server.listen(overrides.host ?? '127.0.0.1', 0)
  return { url: `http://127.0.0.1:${port}`, port, server, engine, log }
}

type RawOptions = { readonly ms?: number; readonly end?: string; readonly address?: string }

/** Sends bytes on a socket of their own; answers what came until the server closed, `ms` passed, or it ends in `end`. */
export async function rawExchange(port: number, bytes: string, options: RawOptions = {}): Promise<string> {
  const { ms = 30_000, end, address = '127.0.0.1' } = options
  const socket = connect(port, address)
  const received: Buffer[] = []
  socket.on('data', (chunk) => {
    received.push(chunk)
    if (end !== undefined && chunk.subarray(-end.length).equals(Buffer.from(end))) socket.destroy()
  })
  socket.on('error', () => {})
  socket.write(bytes)
  const timer = setTimeout(() => socket.destroy(), ms)
  await once(socket, 'close')
  clearTimeout(timer)
  return Buffer.concat(received).toString('utf8')
}

export async function until(condition: () => boolean, what: string, ms = 60_000): Promise<void> {
  const deadline = performance.now() + ms
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited in vain for: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** One JSON request. */
export async function call(url: string, method = 'GET', body?: unknown, headers: Record<string, string> = {}) {
  const reply = await fetch(url, {
    method,
    headers: { authorization: KEY, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await reply.text()
  const json: unknown = text.startsWith('{') ? JSON.parse(text) : null
  return { status: reply.status, headers: reply.headers, text, json, error: errorOf(json) }
}

/** The envelope, checked: exactly four keys. */
export function errorOf(
  json: unknown,
): { message: string; type: string; param: string | null; code: string | null } | null {
  if (!isRecord(json) || !isRecord(json.error)) return null
  const { message, type, param, code, ...rest } = json.error
  const isText = (value: unknown) => value === null || typeof value === 'string'
  if (typeof message !== 'string' || typeof type !== 'string' || Object.keys(rest).length > 0) return null
  if (!isText(param) || !isText(code)) return null
  return { message, type, param: param === null ? null : String(param), code: code === null ? null : String(code) }
}

/** A create request as bytes, for sockets that misbehave. */
export const postBytes = (body: object) => {
  const text = JSON.stringify(body)
  return (
    `POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${KEY}\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
  )
}
