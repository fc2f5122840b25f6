/** What several servers on one database take of what is to be ingested, and of what the index has to be told. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_POSTGRES, openSchema } from '../../../../test/support/postgres.ts'
import { systemClock } from '../../../lib/clock.ts'
import { createPostgresStore } from './postgres-store.ts'

const LIMITS = { maxConnections: 8, connectTimeoutMs: 5_000, queryTimeoutMs: 10_000, clock: systemClock }
const NOW = 1_800_000_000
const FILES = 12
const CATALOG_LIMITS = { stores: 5, filesPerStore: 50 }

async function openServers() {
  const schema = await openSchema()
  const [one, other] = [
    await createPostgresStore({ ...LIMITS, url: schema.url }),
    await createPostgresStore({ ...LIMITS, url: schema.url }),
  ] as const
  const project = one.forProject('proj_a')
  const ids = Array.from({ length: FILES }, (_, at) => `file-${at}`)
  for (const id of ids) {
    await one.blobs.begin(id, NOW)
    const blob = { key: id, bytes: 1, sha256: '0'.repeat(64) }
    const file = { id, filename: `${id}.txt`, purpose: 'assistants', mediaType: 'text/plain', createdAt: NOW } as const
    await project.files.create({ ...file, expiresAt: null }, blob, { bytes: 1_000, files: 100 })
  }
  const attachments = ids.map((fileId) => ({
    ...{ documentId: `doc_${fileId}`, fileId, attributes: {} },
    chunking: { max_chunk_size_tokens: 800, chunk_overlap_tokens: 400 },
  }))
  const fixed = { createdAt: NOW, name: '', description: null, metadata: {}, expiresAfterDays: null, lastActiveAt: NOW }
  await project.vectorStores.create({ id: 'vs_1', ...fixed }, attachments, CATALOG_LIMITS)
  return {
    one,
    other,
    project,
    schema,
    async close() {
      await one.close()
      await other.close()
      await schema.drop()
    },
  }
}

test('a file is taken by one server of several, and by another only when the first is gone', {
  skip: NO_POSTGRES,
}, async () => {
  const { one, other, close } = await openServers()
  const takeAll = async ({ ingestion }: typeof one) => {
    const taken: string[] = []
    for (;;) {
      const job = await ingestion.take(NOW, taken)
      if (job === null) return taken
      assert.equal(job.attempts, 1)
      taken.push(job.documentId)
    }
  }
  const [here, there] = await Promise.all([takeAll(one), takeAll(other)])
  assert.equal(here.length + there.length, FILES)
  assert.equal(new Set([...here, ...there]).size, FILES)
  const again = await one.ingestion.take(NOW, [])
  assert.ok(again === null || here.includes(again.documentId), 'what it does not say it works on, it gets again')
  await one.close()
  const inherited = await other.ingestion.take(NOW, there)
  assert.equal(here.includes(inherited?.documentId ?? ''), here.length > 0)
  await close()
})

test('what the index has to be told is told by one server at a time', { skip: NO_POSTGRES }, async () => {
  const { one, other, project, close } = await openServers()
  for (const year of [1, 2, 3]) await project.vectorStores.setAttributes('vs_1', 'file-0', { year })
  const taken = await one.ingestion.changes(2)
  assert.deepEqual(
    taken.map((change) => change.type === 'attributes' && change.attributes.year),
    [1, 2],
  )
  assert.deepEqual(await other.ingestion.changes(10), [])
  await one.ingestion.forget(taken.map(({ seq }) => seq))
  assert.equal((await other.ingestion.changes(10)).length, 1)
  assert.deepEqual(await one.ingestion.changes(10), [])
  await other.close()
  assert.equal((await one.ingestion.changes(10)).length, 1)
  await close()
})

test('a file that is deleted while it is attached is in the store or is none, and never only in the store', {
  skip: NO_POSTGRES,
}, async () => {
  const { one, other, project, close } = await openServers()
  for (let at = 0; at < FILES; at++) {
    const id = `file-${at}`
    const anew = { documentId: `new_${id}`, fileId: id, attributes: {} }
    const chunking = { max_chunk_size_tokens: 800, chunk_overlap_tokens: 400 }
    const [attached, isDeleted] = await Promise.all([
      project.vectorStores.attach('vs_1', [{ ...anew, chunking }], { now: NOW, batchId: null }, CATALOG_LIMITS),
      other.forProject('proj_a').files.delete(id),
    ])
    assert.ok(isDeleted)
    assert.ok(attached.type === 'attached' || attached.type === 'unknown-file')
    assert.equal(await one.forProject('proj_a').vectorStores.getAttachment('vs_1', id), null)
  }
  await close()
})
