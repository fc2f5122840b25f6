import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { searchStores } from './search-stores.ts'
import { openForReading, openForWriting } from './store-file.ts'
import { createVectorCache, type VectorCache } from './vector-cache.ts'
import { putDocument, removeDocument } from './write-store.ts'

const STORE = 'vs_one'
const VECTOR = [1, 0]

test('what is removed between being found and being read is left out, and the next one takes its place', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'antiphon-search-'))
  const writer = openForWriting(directory, STORE)
  for (const id of ['a', 'b', 'c']) {
    const document = { id, fileId: id, filename: `${id}.txt`, attributes: {} }
    const vectors = { model: 'm', vectors: [VECTOR] }
    putDocument(writer, { ...document, vectors }, [{ text: 'tea', start: 0, end: 3, page: null }])
  }
  const reader = openForReading(directory, STORE)
  t.after(async () => {
    for (const file of [writer, reader]) file?.close()
    await rm(directory, { recursive: true })
  })
  assert.ok(reader)
  const cache = createVectorCache(1_000)
  // As the other thread may: after the vectors were compared, before what they belong to is read.
  const removing: VectorCache = {
    ...cache,
    *blocks(file, wanted) {
      yield* [...cache.blocks(file, wanted)]
      removeDocument(writer, 'a')
    },
  }
  const hits = searchStores(
    [{ storeId: STORE, file: reader, revision: 0 }],
    {
      storeIds: [STORE],
      text: 'tea',
      vector: { model: 'm', values: VECTOR },
      filter: null,
      limit: 2,
      ranking: { type: 'fused', vectorWeight: 0.5, textWeight: 0.5 },
    },
    removing,
  )
  assert.deepEqual(
    hits.map(({ documentId }) => documentId),
    ['b', 'c'],
  )
})
