import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../lib/clock.ts'
import { createSqliteStore } from '../store/sql/sqlite/sqlite-store.ts'
import { INGEST_SIDE_BY_SIDE, startIngestion } from './ingest-files.ts'

const FILES = 12
const NOW = 1_700_000_000

test('no document is taken by two at once, and each time counts as one try', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'antiphon-ingest-'))
  const store = await createSqliteStore({ path: join(directory, 'antiphon.db'), clock: systemClock })
  const project = store.forProject('proj_a')
  const chunking = { max_chunk_size_tokens: 800, chunk_overlap_tokens: 400 }
  const files = Array.from({ length: FILES }, (_, at) => `file-${at}`)
  for (const id of files) {
    await store.blobs.begin(id, NOW)
    const file = { id, filename: 'a.txt', purpose: 'assistants', mediaType: 'text/plain', createdAt: NOW } as const
    const blob = { key: id, bytes: 1, sha256: '0'.repeat(64) }
    await project.files.create({ ...file, expiresAt: null }, blob, { bytes: 1_000, files: 100 })
  }
  const vectorStore = { id: 'vs_1', createdAt: NOW, name: 'all', description: null, metadata: {} }
  const attachments = files.map((fileId) => ({ documentId: `doc_${fileId}`, fileId, attributes: {}, chunking }))
  const made = { ...vectorStore, expiresAfterDays: null, lastActiveAt: NOW }
  await project.vectorStores.create(made, attachments, { stores: 10, filesPerStore: 100 })

  const tries: string[] = []
  let working = 0
  let atOnce = 0
  const over = Promise.withResolvers<void>()
  const ingestion = startIngestion({
    queue: store.ingestion,
    async ingest({ documentId, attempts }) {
      tries.push(`${documentId} ${attempts}`)
      working += 1
      atOnce = Math.max(atOnce, working)
      await new Promise((resolve) => setTimeout(resolve, 20))
      working -= 1
      await store.ingestion.finish(documentId, { status: 'completed', usageBytes: 1, attributes: {} })
      if (tries.length === FILES) over.resolve()
    },
    recover: async () => {},
    upgrade: async () => false,
    tell: async () => {},
    clock: systemClock,
    telemetry: { failed: ({ error }) => over.reject(error) },
  })
  await over.promise
  await ingestion[Symbol.asyncDispose]()
  await store.close()
  await rm(directory, { recursive: true })
  assert.deepEqual(tries.toSorted(), files.map((id) => `doc_${id} 1`).toSorted())
  assert.equal(atOnce, INGEST_SIDE_BY_SIDE)
})
