/**
 * Files that are made to harm whoever reads them, and broken ones: each ends in a clear error or is read without harm, its
 * reader keeps to its memory and its time, and the server answers others meanwhile as before.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import OpenAI, { toFile } from 'openai'
import { DocumentError } from '../../src/documents/document-reader.ts'
import { createIsolatedReader } from '../../src/documents/isolated-reader.ts'
import { isPlainText } from '../../src/documents/read-plain.ts'
import { DOCUMENT_LIMITS } from '../../src/documents/reader-processes.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { typeByName } from '../../src/lib/media-type.ts'
import { type ChatUpstream, startChatUpstream } from '../fakes/chat-upstream.ts'
import { send } from '../support/http.ts'
import { watchChildren } from '../support/peak-memory.ts'
import { type FileBomb, MB } from './bombs/file-bomb.ts'
import { FILE_BOMBS } from './bombs/file-bombs.ts'
import { type CrashRunner, createCrashRunner, type RunningServer } from './crash-runner.ts'
import { watchRequests } from './request-probe.ts'
import { isFull, withinMs } from './seed.ts'

/** Of one process that reads a document. */
const MAX_READER_BYTES = 512 * MB
/** Of waiting for its turn and for the end of its process, on a busy machine. */
const LIMITS = { ...DOCUMENT_LIMITS, timeMs: withinMs(DOCUMENT_LIMITS.timeMs) }
const MAX_READ_MS = LIMITS.timeMs + withinMs(5_000)
/** What is sent to a server: in the short form every so many. */
const SENT = FILE_BOMBS.filter((_, at) => isFull || at % 4 === 0)
const QUIET_MS = isFull ? 20_000 : 2_000
/** A wait that nobody notices is none, however short the one before was. */
const UNNOTICED_MS = 10
/** What the JSON body of a request may carry, in base64. */
const MAX_INPUT_BYTES = 24 * MB

/** As much as a request may ask for. */
const DRAWING = { pages: 20, side: 1_536 }

const never = new AbortController().signal

test(`each of ${FILE_BOMBS.length} file bombs and broken files ends as it should, within 512 MB and its time`, {
  timeout: 1_200_000,
}, async (t) => {
  const reader = createIsolatedReader(systemClock, LIMITS)
  const most = { bytes: 0, ms: 0, largest: '', slowest: '' }
  try {
    for (const { name, filename, make, ends, drawn } of FILE_BOMBS) {
      const document = { filename, mediaType: typeByName(filename), bytes: make() }
      const met = async (what: string, doing: () => Promise<'text' | 'images'>) => {
        const watch = watchChildren(process.pid)
        const began = performance.now()
        const end = await doing().catch((error: unknown) =>
          error instanceof DocumentError ? error.kind : String(error),
        )
        const ms = performance.now() - began
        const bytes = watch.stop()
        assert.ok(bytes <= MAX_READER_BYTES, `${what}: ${bytes / MB} MB`)
        assert.ok(ms <= MAX_READ_MS, `${what}: ${ms} ms`)
        if (bytes > most.bytes) Object.assign(most, { bytes, largest: what })
        if (ms > most.ms) Object.assign(most, { ms, slowest: what })
        return end
      }
      const end = await met(name, async () => reader.readText(document, never).then(() => 'text'))
      assert.equal(end, ends, name)
      assert.equal(drawn !== undefined, reader.draws(document), `${name}: what becomes of its pages`)
      if (drawn === undefined) continue
      const drawing = `${name}, drawn`
      const drawnEnd = await met(drawing, async () => reader.drawPages(document, DRAWING, never).then(() => 'images'))
      assert.equal(drawnEnd, drawn, drawing)
    }
  } finally {
    await reader.close()
  }
  t.diagnostic(`most memory ${Math.round(most.bytes / MB)} MB (${most.largest})`)
  t.diagnostic(`longest ${Math.round(most.ms)} ms (${most.slowest})`)
})

let upstream: ChatUpstream
let runner: CrashRunner
let server: RunningServer
let client: OpenAI
before(async () => {
  // It does not repeat what it was shown: a bomb's text would be more events than a reply may have.
  upstream = await startChatUpstream({ record: false, script: () => ({ answer: { text: 'Read.' } }) })
  const provider = `upstream: { type: openai_compatible, api_base: "${upstream.url}", api_key: k }`
  const seeing = '{ model_name: seeing, deployments: [{ model: upstream/m }], model_info: { supports: [images] } }'
  runner = createCrashRunner(`providers: { ${provider} }\nmodels: [${seeing}]\nlimits: { requests_per_minute: 0 }\n`)
  server = await runner.start()
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: server.apiKey, maxRetries: 0 })
})
after(async () => {
  const code = await server.stop()
  runner.dispose()
  await upstream.close()
  assert.equal(code, 0, server.output())
})

const codeOf = (ends: string) => (ends === 'unsupported' ? 'unsupported_file' : 'invalid_file')

test('in a vector store each bomb is failed with its reason or is read, and other requests do not wait for it', {
  timeout: 900_000,
}, async (t) => {
  const store = await client.vectorStores.create({ name: 'bombs' })
  const calm = await client.files.create({ file: await toFile(Buffer.from('calm'), 'calm.txt'), purpose: 'assistants' })
  const path = `/v1/files/${calm.id}`
  const quiet = await watchRequests(server, path, () => new Promise((resolve) => setTimeout(resolve, QUIET_MS)))
  const ids = new Map<string, FileBomb>()
  for (const bomb of SENT) {
    const file = await toFile(await made(bomb), bomb.filename)
    ids.set((await client.files.create({ file, purpose: 'assistants' })).id, bomb)
  }
  const memory = watchChildren(server.pid)
  const busy = await watchRequests(server, path, async () => {
    for (const id of ids.keys()) await client.vectorStores.files.create(store.id, { file_id: id })
    await until(async () => (await client.vectorStores.retrieve(store.id)).file_counts.in_progress === 0)
  })
  const peak = memory.stop()
  for (const [id, { name, ends, isEmpty }] of ids) {
    const { status, last_error: error } = await client.vectorStores.files.retrieve(id, { vector_store_id: store.id })
    if (ends === 'text' && !isEmpty) assert.deepEqual([status, error], ['completed', null], name)
    else {
      assert.deepEqual([status, error?.code], ['failed', codeOf(ends)], name)
      assert.match(error?.message ?? '', /^The file could not be read: it|^The file could not be read: /, name)
    }
  }
  t.diagnostic(`most memory of a reader ${Math.round(peak / MB)} MB`)
  t.diagnostic(`GET alone p50 ${quiet.p50} p99 ${quiet.p99} ms, meanwhile p50 ${busy.p50} p99 ${busy.p99} ms`)
  assert.ok(peak <= MAX_READER_BYTES, `${peak / MB} MB`)
  if (isFull) assert.ok(busy.p99 <= 2 * quiet.p99 + UNNOTICED_MS, `p99 ${busy.p99} ms, alone ${quiet.p99} ms`)
})

test('in a request each bomb is a 400 that names its place, or is shown as text or pictures', {
  timeout: 900_000,
}, async () => {
  for (const bomb of SENT) {
    const { name, filename, ends, drawn } = bomb
    const bytes = await made(bomb)
    if (bytes.length > MAX_INPUT_BYTES) continue
    const data = `data:${typeByName(filename)};base64,${bytes.toString('base64')}`
    const part = { type: 'input_file', filename, file_data: data }
    const { status, json } = await send(server, 'POST', '/v1/responses', {
      model: 'seeing',
      store: false,
      input: [{ role: 'user', content: [{ type: 'input_text', text: 'Read.' }, part] }],
    })
    const { code, param } = (json.error ?? {}) as { code?: string; param?: string }
    // Plain text goes to a provider that takes it as it is: nothing of it is read here.
    if (status === 200 && isPlainText(typeByName(filename))) continue
    // A text is shown whatever becomes of the pictures; without one they are all there is.
    const isShown = ends === 'text' || (ends === 'empty' && drawn === 'images')
    if (isShown) assert.equal(status, 200, `${name}: ${JSON.stringify(json.error)}`)
    else assert.deepEqual([status, code, param], [400, codeOf(ends), 'input[0].content[1].file_data'], name)
  }
})

/** To make one takes a while; a connection that the server closed meanwhile is noticed before it is used again. */
async function made({ make }: FileBomb): Promise<Buffer> {
  const bytes = make()
  await new Promise((resolve) => setTimeout(resolve, 20))
  return bytes
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 200))
}
