/**
 * Files on a real file system of 32 MB that is full: what needs room is refused with one clear error and leaves nothing
 * behind, what is there is read and searched, and once there is space everything goes on by itself.
 */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import OpenAI, { APIError, toFile } from 'openai'
import { createCrashRunner, type RunningServer } from './crash-runner.ts'
import { withinMs } from './seed.ts'
import { fillDisk, NO_SMALL_DISK, onSmallDisk } from './small-disk.ts'

const SIZE_MB = 32
const MB = 1024 * 1024
/** Enough for rows, not for a file. */
const ROOM_FOR_ROWS = 2 * MB
const RECOVERED_MS = withinMs(5_000)
const LARGE = Buffer.alloc(4 * MB, 'a large file. ')
const BOOK = Array.from({ length: 30_000 }, (_, at) => `Sentence number${at} of a long book about herons and fish.`)

const isStorageFull = (error: unknown) => {
  assert.ok(error instanceof APIError, String(error))
  assert.deepEqual([error.status, error.code], [503, 'storage_full'])
  return true
}

const blobsIn = (root: string): readonly string[] =>
  readdirSync(join(root, 'files'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)

async function soon(what: string, holds: () => Promise<boolean>): Promise<number> {
  const began = performance.now()
  while (!(await holds())) {
    assert.ok(performance.now() - began < RECOVERED_MS, what)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return Math.round(performance.now() - began)
}

test('a full disk refuses files, parts, pictures and ingestion, keeps nothing half, and is left behind with space', {
  skip: NO_SMALL_DISK,
  timeout: 300_000,
}, async (t) => {
  const runner = createCrashRunner(
    'limits: { requests_per_minute: 0 }\ntools: { image_generation: { engine: demo } }\n',
  )
  mkdirSync(runner.dataDir, { mode: 0o700 })
  try {
    const server: RunningServer = await runner.start({}, onSmallDisk(runner.dataDir, SIZE_MB))
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: server.apiKey, maxRetries: 0 })
    const seen = join(`/proc/${server.pid}/root`, runner.dataDir)
    const ballast = join(seen, 'ballast')
    const upload = (bytes: Buffer, name: string) =>
      toFile(bytes, name).then((file) => client.files.create({ file, purpose: 'assistants' }))
    const draw = () =>
      client.responses.create({ model: 'demo', input: 'Draw a heron.', tools: [{ type: 'image_generation' }] })

    const small = await upload(Buffer.from('The heron nests in March.'), 'small.txt')
    const book = await upload(Buffer.from(BOOK.join('\n')), 'book.txt')
    const store = await client.vectorStores.create({ name: 'birds' })
    await client.vectorStores.files.createAndPoll(store.id, { file_id: small.id }, { pollIntervalMs: 50 })
    const parts = await client.uploads.create({
      bytes: LARGE.length,
      filename: 'large.txt',
      mime_type: 'text/plain',
      purpose: 'assistants',
    })
    const kept = blobsIn(seen)
    const found = async (query: string) => (await client.vectorStores.search(store.id, { query })).data.length

    fillDisk(ballast, ROOM_FOR_ROWS)
    await client.vectorStores.files.create(store.id, { file_id: book.id })
    for (let round = 0; round < 5; round += 1) {
      await assert.rejects(upload(LARGE, 'large.txt'), isStorageFull)
      await assert.rejects(client.uploads.parts.create(parts.id, { data: await toFile(LARGE, 'part') }), isStorageFull)
    }
    assert.deepEqual(blobsIn(seen), kept, 'nothing is left of what was refused')

    fillDisk(ballast)
    await assert.rejects(upload(LARGE, 'large.txt'), isStorageFull)
    await assert.rejects(draw(), isStorageFull)
    assert.equal(await (await client.files.content(small.id)).text(), 'The heron nests in March.')
    assert.equal(await found('heron'), 1, 'of the book nothing is found, of the other file all')
    const waiting = await client.vectorStores.files.retrieve(book.id, { vector_store_id: store.id })
    assert.deepEqual([waiting.status, waiting.last_error], ['in_progress', null])

    rmSync(ballast)
    const recovered = await soon('the book is ingested', async () => {
      const { status } = await client.vectorStores.files.retrieve(book.id, { vector_store_id: store.id })
      return status === 'completed'
    })
    t.diagnostic(`the book was ingested ${recovered} ms after there was space`)
    assert.ok((await found('number29999')) > 0)
    const part = await client.uploads.parts.create(parts.id, { data: await toFile(LARGE, 'part') })
    const whole = await client.uploads.complete(parts.id, { part_ids: [part.id] })
    assert.equal(whole.file?.bytes, LARGE.length)
    assert.equal((await draw()).status, 'completed')
    assert.equal(blobsIn(seen).length, kept.length + 1)
    assert.equal(await server.stop(), 0)
    assert.doesNotMatch(server.output(), /corrupt|malformed database/i)
  } finally {
    runner.dispose()
  }
})
