/**
 * The file that a vector store is searched in is damaged: the store is filled again from its files, and until it is whole a
 * search says so. What it never does is to answer with nothing, or with a part.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import OpenAI, { toFile } from 'openai'
import { send } from '../support/http.ts'
import { type CrashRunner, createCrashRunner, type RunningServer } from './crash-runner.ts'
import { isFull, withinMs } from './seed.ts'

const FILES = 12
/** Fewer than the tries that a file has: a kill costs one. */
const KILLS = isFull ? 7 : 3
const PAGE = 4_096
const HEALED_MS = withinMs(30_000)
const WORDS = 'lorem ipsum dolor sit amet '.repeat(80)

const overwrite = (file: number, from: number, to: number) =>
  writeSync(file, randomBytes(to - from), 0, to - from, from)

/** Of the file of a store that nobody has open. */
const DAMAGE: readonly (readonly [name: string, work: (file: number, bytes: number) => void])[] = [
  ['its head overwritten', (file) => overwrite(file, 0, 100)],
  ['all of its pages but the first overwritten', (file, bytes) => overwrite(file, PAGE, bytes)],
  ['all of it overwritten', (file, bytes) => overwrite(file, 0, bytes)],
  ['its second half overwritten', (file, bytes) => overwrite(file, Math.floor(bytes / PAGE / 2) * PAGE, bytes)],
  ['its second half cut off', (file, bytes) => ftruncateSync(file, Math.floor(bytes / 2))],
  ['everything cut off', (file) => ftruncateSync(file, 0)],
]

function damage(path: string, work: (file: number, bytes: number) => void): void {
  const file = openSync(path, 'r+')
  work(file, fstatSync(file).size)
  closeSync(file)
}

async function fillStore(server: RunningServer): Promise<string> {
  const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: server.apiKey })
  const store = await client.vectorStores.create({ name: 'damaged' })
  const files = await Promise.all(
    Array.from({ length: FILES }, (_, at) => toFile(Buffer.from(`The heron number${at} nests. ${WORDS}`), `${at}.txt`)),
  )
  await client.vectorStores.fileBatches.uploadAndPoll(store.id, { files }, { pollIntervalMs: 50 })
  return store.id
}

/** Asks until it is answered; every answer until then is the one refusal, and the answer is whole. */
async function searchUntilWhole(server: RunningServer, storeId: string): Promise<number> {
  const end = performance.now() + HEALED_MS
  for (let refused = 0; ; refused += 1) {
    if (await searchedWhole(server, storeId)) return refused
    assert.ok(performance.now() < end, 'the store is whole again in time')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function searchedWhole(server: RunningServer, storeId: string): Promise<boolean> {
  const query = { query: 'heron', max_num_results: 50 }
  const { status, json, headers } = await send(server, 'POST', `/v1/vector_stores/${storeId}/search`, query)
  if (status === 200) {
    const names = (json.data as { filename: string }[]).map(({ filename }) => filename)
    const failed = await send(server, 'GET', `/v1/vector_stores/${storeId}/files?filter=failed`)
    assert.equal(new Set(names).size, FILES, `of all files; failed are ${failed.text}`)
    return true
  }
  const { code } = (json.error ?? {}) as { code?: string }
  assert.deepEqual([status, code, headers['x-should-retry']], [503, 'vector_store_rebuilding', 'true'])
  return false
}

async function withStore(work: (runner: CrashRunner, storeId: string, file: string) => Promise<void>): Promise<void> {
  const runner = createCrashRunner('limits: { requests_per_minute: 0 }\n')
  try {
    const server = await runner.start()
    const storeId = await fillStore(server)
    assert.ok(await searchedWhole(server, storeId))
    assert.equal(await server.stop(), 0)
    await work(runner, storeId, join(runner.dataDir, 'search-index', `${storeId}.db`))
  } finally {
    runner.dispose()
  }
}

test('a store whose file is damaged while the server is down is whole again, and says so until then', async (t) => {
  await withStore(async (runner, storeId, file) => {
    for (const [name, work] of DAMAGE) {
      damage(file, work)
      const server = await runner.start()
      const refused = await searchUntilWhole(server, storeId)
      t.diagnostic(`${name}: ${refused} searches refused`)
      assert.ok(!existsSync(`${file}.damaged`), 'what was set aside is gone')
      assert.equal(await server.stop(), 0)
    }
  })
})

test('a store whose file is taken away is whole again, and says so until then', async () => {
  await withStore(async (runner, storeId, file) => {
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true })
    const server = await runner.start()
    await searchUntilWhole(server, storeId)
    assert.equal(await server.stop(), 0)
  })
})

test(`a server that is killed while it heals heals on (${KILLS} kills)`, { timeout: 600_000 }, async () => {
  await withStore(async (runner, storeId, file) => {
    for (let kill = 0; kill < KILLS; kill += 1) {
      if (existsSync(file)) damage(file, (it, bytes) => overwrite(it, 0, bytes))
      const server = await runner.start()
      await searchedWhole(server, storeId)
      await new Promise((resolve) => setTimeout(resolve, (kill * 83) % 500))
      await server.kill()
    }
    const server = await runner.start()
    await searchUntilWhole(server, storeId)
    assert.equal(await server.stop(), 0)
  })
})

test('a store that is dropped while it heals leaves nothing on disk', async () => {
  await withStore(async (runner, storeId, file) => {
    damage(file, (it, bytes) => overwrite(it, 0, bytes))
    const server = await runner.start()
    await searchedWhole(server, storeId)
    assert.equal((await send(server, 'DELETE', `/v1/vector_stores/${storeId}`)).status, 200)
    const end = performance.now() + HEALED_MS
    while (['', '-wal', '-shm', '.damaged'].some((suffix) => existsSync(`${file}${suffix}`))) {
      assert.ok(performance.now() < end, 'nothing is left')
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    assert.equal(await server.stop(), 0)
  })
})
