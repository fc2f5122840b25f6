/** The laws of the index over a real PostgreSQL, and what several servers on it see. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeCorpus } from '../../../test/retrieval/make-corpus.ts'
import { NO_POSTGRES, noVectors, openSchema } from '../../../test/support/postgres.ts'
import { systemClock } from '../../lib/clock.ts'
import { createPostgresStore } from '../../store/sql/postgres/postgres-store.ts'
import { searchIndexContract } from '../search-index.contract.ts'
import type { SearchIndex } from '../search-index.ts'
import { createSqliteIndex } from '../sqlite/sqlite-index.ts'
import { createPostgresIndex } from './postgres-index.ts'
import { NoVectors } from './vectors.ts'

const LIMITS = { maxConnections: 8, connectTimeoutMs: 5_000, queryTimeoutMs: 10_000, clock: systemClock }
const NO_VECTORS = await noVectors()
const never = new AbortController().signal
const WORDS = { vector: null, filter: null, limit: 10, ranking: { type: 'plain' } } as const
const DOCUMENT = { id: 'a', fileId: 'f', filename: 'a.txt', attributes: {}, vectors: null }

/** `peer`: the same index, of another server. */
async function openIndexes(withVectors = NO_VECTORS === false) {
  const schema = await openSchema()
  const stores = [
    await createPostgresStore({ ...LIMITS, url: schema.url }),
    await createPostgresStore({ ...LIMITS, url: schema.url }),
  ] as const
  const [index, peer] = await Promise.all(stores.map(({ database }) => createPostgresIndex({ database, withVectors })))
  if (!index || !peer) throw new Error('two indexes were opened')
  return {
    index,
    peer,
    schema,
    async close() {
      for (const it of [index, peer]) await it.close()
      for (const store of stores) await store.close()
      await schema.drop()
    },
  }
}

const chunksOf = (texts: readonly string[]) => texts.map((text) => ({ text, start: 0, end: text.length, page: null }))

if (NO_POSTGRES) {
  test('the laws of the index on PostgreSQL', { skip: NO_POSTGRES }, () => {})
} else {
  searchIndexContract('postgres', openIndexes, { noVectors: NO_VECTORS })
}

async function fill(index: SearchIndex, texts: readonly string[]): Promise<void> {
  for (let from = 0; from < texts.length; from += 40)
    await index.put(
      'vs_one',
      { ...DOCUMENT, id: `d${String(from).padStart(6, '0')}` },
      chunksOf(texts.slice(from, from + 40)),
    )
}

test('a search by words finds in PostgreSQL what it finds in SQLite, with the same scores', {
  skip: NO_POSTGRES,
}, async () => {
  const { index, close } = await openIndexes(false)
  const directory = await mkdtemp(join(tmpdir(), 'antiphon-index-'))
  const sqlite = createSqliteIndex({ directory, clock: systemClock, vectorBytes: 2 ** 20 })
  const corpus = makeCorpus(3)
  const texts = corpus.chunks.map(({ text }) => text)
  await fill(index, texts)
  await fill(sqlite, texts)
  let compared = 0
  for (const { text } of corpus.queries) {
    const asked = { ...WORDS, storeIds: ['vs_one'], text }
    const [here, there] = await Promise.all([index.search(asked, never), sqlite.search(asked, never)])
    assert.equal(here.length, there.length, text)
    for (const [at, hit] of here.entries()) {
      const score = there[at]?.score ?? 0
      // FTS5 chooses the candidates of the other: a chunk may be in its list a place too late, never a better one in its stead.
      assert.ok(hit.score >= score - 1e-9, `${text}: ${hit.score} and ${score} at ${at}`)
      if (Math.abs(hit.score - score) < 1e-9) compared++
    }
  }
  const all = corpus.queries.length * WORDS.limit
  assert.ok(compared > 0.9 * all, `${compared} of ${all} scores are the same`)
  await sqlite.close()
  await rm(directory, { recursive: true })
  await close()
})

test('what one server has written every other finds, and nothing of it before all of it is there', {
  skip: NO_POSTGRES,
}, async () => {
  const { index, peer, close } = await openIndexes(false)
  const texts = Array.from({ length: 300 }, (_, at) => `heron number ${at}`)
  const asked = { ...WORDS, storeIds: ['vs_one'], text: 'heron', limit: 50 }
  let isDone = false
  const seen = new Set<number>()
  const writing = index.put('vs_one', DOCUMENT, chunksOf(texts)).finally(() => {
    isDone = true
  })
  while (!isDone) {
    seen.add((await peer.search(asked, never)).length)
    const { length } = await peer.read('vs_one', 'a', { from: 0, limit: 500 })
    assert.ok(length === 0 || length === 300, `${length} chunks of 300 were seen`)
  }
  await writing
  seen.add((await peer.search(asked, never)).length)
  assert.ok(
    [...seen].every((count) => count === 0 || count === 50),
    [...seen].join(),
  )
  await Promise.all(
    [index, peer].flatMap((it) => [it.put('vs_one', DOCUMENT, chunksOf(texts)), it.remove('vs_one', 'x')]),
  )
  assert.equal((await index.read('vs_one', 'a', { from: 0, limit: 500 })).length, 300)
  await Promise.all([index.drop('vs_one'), peer.put('vs_one', DOCUMENT, chunksOf(['heron']))])
  assert.ok((await index.search(asked, never)).length <= 1)
  await close()
})

test('a document that is removed leaves no row', { skip: NO_POSTGRES }, async () => {
  const { index, schema, close } = await openIndexes()
  const vectors = NO_VECTORS === false ? { model: 'm', vectors: [[1, 0]] } : null
  await index.put('vs_one', { ...DOCUMENT, vectors }, chunksOf(['heron']))
  await index.put('vs_two', { ...DOCUMENT, vectors }, chunksOf(['heron']))
  await index.remove('vs_one', 'a')
  await index.drop('vs_two')
  const tables = ['documents', 'chunks', 'postings', ...(vectors ? ['vectors'] : [])]
  for (const table of tables)
    assert.equal(Number((await schema.query(`select count(*) as n from search_${table}`))[0]?.n), 0, table)
  await close()
})

test('an index that needs vectors is not opened without them, and says what to do', {
  skip: NO_POSTGRES || (NO_VECTORS === false && 'this PostgreSQL has the extension vector'),
}, async () => {
  const schema = await openSchema()
  const store = await createPostgresStore({ ...LIMITS, url: schema.url })
  await assert.rejects(createPostgresIndex({ database: store.database, withVectors: true }), (error: Error) => {
    assert.ok(error instanceof NoVectors)
    assert.match(error.message, /Install pgvector.*embedding_model/)
    return true
  })
  await store.close()
  await schema.drop()
})
