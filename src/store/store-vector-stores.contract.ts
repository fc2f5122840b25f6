/** Laws of vector stores, of the files in them, and of what is to be ingested. */
import assert from 'node:assert/strict'
import type { ProjectStore, Store } from './store.ts'
import { type Law, START_SECONDS } from './store-fixtures.contract.ts'
import type { CatalogLimits, NewAttachment, NewVectorStore, StoredAttachment } from './vector-store-catalog.ts'

const LIMITS: CatalogLimits = { stores: 5, filesPerStore: 6 }
const QUOTA = { bytes: 1_000, files: 100 }
const CHUNKING = { max_chunk_size_tokens: 800, chunk_overlap_tokens: 400 }
const PAGE = { limit: 10, order: 'asc', after: null, before: null } as const
const ALL = { ...PAGE, status: null, batchId: null } as const
const DAY = 86_400

const newStore = (id: string, change: Partial<NewVectorStore> = {}): NewVectorStore => ({
  id,
  createdAt: START_SECONDS,
  name: id,
  description: null,
  metadata: {},
  expiresAfterDays: null,
  lastActiveAt: START_SECONDS,
  ...change,
})
const attachment = (fileId: string, documentId = `doc_${fileId}`): NewAttachment => ({
  documentId,
  fileId,
  attributes: {},
  chunking: CHUNKING,
})

async function addFiles(store: Store, project: ProjectStore, ...ids: string[]): Promise<void> {
  for (const id of ids) {
    const key = `blob_of_${id}_${project.projectId}`
    await store.blobs.begin(key, START_SECONDS)
    const fixed = { filename: `${id}.txt`, purpose: 'assistants', mediaType: 'text/plain' } as const
    const blob = { key, bytes: 1, sha256: '0'.repeat(64) }
    await project.files.create({ id, ...fixed, createdAt: START_SECONDS, expiresAt: null }, blob, QUOTA)
  }
}

const attach = (
  project: ProjectStore,
  storeId: string,
  files: readonly NewAttachment[],
  batchId: string | null = null,
) => project.vectorStores.attach(storeId, files, { now: START_SECONDS, batchId }, LIMITS)

const fileIds = async (project: ProjectStore, storeId: string, page = {}) => {
  const files = await project.vectorStores.listAttachments(storeId, { ...ALL, ...page })
  return files === 'unknown-cursor' ? files : files.map(({ fileId }: StoredAttachment) => fileId)
}
const changesOf = async (store: Store) =>
  (await store.ingestion.changes(100)).map((it) => `${it.type} ${'documentId' in it ? it.documentId : it.storeId}`)

export function vectorStoreContract(law: Law): void {
  stores(law)
  attachments(law)
  batches(law)
  queue(law)
  endings(law)
}

function stores(law: Law): void {
  law('a vector store appears with its files, or not at all', async ({ store, project }) => {
    const { vectorStores } = project
    await addFiles(store, project, 'file-1')
    const files = [attachment('file-1'), attachment('file-none')]
    assert.deepEqual(await vectorStores.create(newStore('vs_1'), files, LIMITS), { type: 'unknown-file', index: 1 })
    assert.equal(await vectorStores.get('vs_1'), null)
    assert.deepEqual(await vectorStores.create(newStore('vs_1'), files.slice(0, 1), LIMITS), { type: 'attached' })
    const counts = { in_progress: 1, completed: 0, failed: 0, cancelled: 0, total: 1 }
    assert.deepEqual(await vectorStores.get('vs_1'), { ...newStore('vs_1'), expired: false, counts, usageBytes: 0 })
  })

  law(
    'a project has at most as many vector stores as it may, and a store as many files',
    async ({ store, project }) => {
      const ids = ['vs_1', 'vs_2', 'vs_3', 'vs_4', 'vs_5', 'vs_6', 'vs_7']
      const made = await Promise.all(ids.map((id) => project.vectorStores.create(newStore(id), [], LIMITS)))
      assert.equal(made.filter(({ type }) => type === 'attached').length, LIMITS.stores)
      const names = ['1', '2', '3', '4', '5', '6', '7'].map((it) => `file-${it}`)
      await addFiles(store, project, ...names)
      assert.deepEqual(
        await attach(
          project,
          'vs_1',
          names.map((id) => attachment(id)),
        ),
        { type: 'full' },
      )
      assert.deepEqual(await fileIds(project, 'vs_1'), [])
    },
  )

  law('what is not changed of a store stays, and null takes its expiry away', async ({ project }) => {
    const { vectorStores } = project
    await vectorStores.create(newStore('vs_1', { expiresAfterDays: 3, metadata: { a: 'b' } }), [], LIMITS)
    const renamed = await vectorStores.update('vs_1', { name: 'new' }, START_SECONDS + 5)
    assert.ok(typeof renamed === 'object')
    const { name, metadata, expiresAfterDays, lastActiveAt } = renamed
    assert.deepEqual([name, metadata, expiresAfterDays, lastActiveAt], ['new', { a: 'b' }, 3, START_SECONDS + 5])
    const kept = await vectorStores.update('vs_1', { metadata: {}, expiresAfterDays: null }, START_SECONDS)
    assert.ok(typeof kept === 'object')
    assert.deepEqual([kept.metadata, kept.expiresAfterDays], [{}, null])
    assert.equal(await vectorStores.update('vs_2', {}, START_SECONDS), 'unknown')
  })

  law('pages of stores go both ways, after one and before another', async ({ project }) => {
    const { vectorStores } = project
    for (const id of ['vs_1', 'vs_2', 'vs_3', 'vs_4']) await vectorStores.create(newStore(id), [], LIMITS)
    const ids = async (page: object) => {
      const found = await vectorStores.list({ ...PAGE, ...page })
      return found === 'unknown-cursor' ? found : found.map(({ id }) => id)
    }
    assert.deepEqual(await ids({ limit: 2 }), ['vs_1', 'vs_2', 'vs_3'])
    assert.deepEqual(await ids({ after: 'vs_2' }), ['vs_3', 'vs_4'])
    assert.deepEqual(await ids({ before: 'vs_3' }), ['vs_1', 'vs_2'])
    assert.deepEqual(await ids({ order: 'desc', after: 'vs_3' }), ['vs_2', 'vs_1'])
    assert.deepEqual(await ids({ order: 'desc', before: 'vs_2' }), ['vs_4', 'vs_3'])
    assert.equal(await ids({ after: 'vs_9' }), 'unknown-cursor')
  })

  law('a store of another project is unknown in every way', async ({ store, project }) => {
    await addFiles(store, project, 'file-1')
    await project.vectorStores.create(newStore('vs_1'), [attachment('file-1')], LIMITS)
    await attach(project, 'vs_1', [], 'vsfb_1')
    const other = store.forProject('proj_b')
    await addFiles(store, other, 'file-2')
    const { vectorStores } = other
    assert.equal(await vectorStores.get('vs_1'), null)
    assert.deepEqual(await vectorStores.usable(['vs_1']), new Set())
    assert.deepEqual(await vectorStores.list(PAGE), [])
    assert.equal(await vectorStores.update('vs_1', { name: 'x' }, START_SECONDS), 'unknown')
    assert.deepEqual(await attach(other, 'vs_1', [attachment('file-2')]), { type: 'unknown' })
    assert.equal(await vectorStores.getAttachment('vs_1', 'file-1'), null)
    assert.deepEqual(await fileIds(other, 'vs_1'), [])
    assert.equal(await vectorStores.setAttributes('vs_1', 'file-1', {}), null)
    assert.equal(await vectorStores.detach('vs_1', 'file-1'), false)
    assert.equal(await vectorStores.getBatch('vs_1', 'vsfb_1'), null)
    assert.equal(await vectorStores.cancelBatch('vs_1', 'vsfb_1'), null)
    assert.equal(await vectorStores.delete('vs_1'), false)
    await vectorStores.create(newStore('vs_2'), [], LIMITS)
    assert.deepEqual(await attach(other, 'vs_2', [attachment('file-1')]), { type: 'unknown-file', index: 0 })
    await store.ingestion.finish('doc_file-1', { status: 'completed', usageBytes: 1, attributes: {} })
    assert.deepEqual(await vectorStores.complete(['doc_file-1']), new Set())
    assert.deepEqual(await project.vectorStores.complete(['doc_file-1']), new Set(['doc_file-1']))
  })
}

function attachments(law: Law): void {
  law(
    'a file that is attached anew begins anew, and the index is told to forget what it was',
    async ({ store, project }) => {
      await addFiles(store, project, 'file-1')
      await project.vectorStores.create(newStore('vs_1'), [attachment('file-1')], LIMITS)
      await store.ingestion.finish('doc_file-1', { status: 'completed', usageBytes: 7, attributes: {} })
      assert.deepEqual(await attach(project, 'vs_1', [attachment('file-1', 'doc_new')]), { type: 'attached' })
      const file = await project.vectorStores.getAttachment('vs_1', 'file-1')
      assert.deepEqual([file?.documentId, file?.status, file?.usageBytes], ['doc_new', 'in_progress', 0])
      assert.equal((await project.vectorStores.get('vs_1'))?.counts.total, 1)
      assert.deepEqual(await changesOf(store), ['remove doc_file-1'])
    },
  )

  law('new attributes are kept, and the index is told of them', async ({ store, project }) => {
    await addFiles(store, project, 'file-1')
    await project.vectorStores.create(newStore('vs_1'), [attachment('file-1')], LIMITS)
    const changed = await project.vectorStores.setAttributes('vs_1', 'file-1', { year: 2024, draft: false })
    assert.deepEqual(changed?.attributes, { year: 2024, draft: false })
    assert.deepEqual(await project.vectorStores.getAttachment('vs_1', 'file-1'), changed)
    assert.deepEqual(await changesOf(store), ['attributes doc_file-1'])
    const [change] = await store.ingestion.changes(1)
    assert.deepEqual(change?.type === 'attributes' && change.attributes, { year: 2024, draft: false })
    assert.equal(await project.vectorStores.setAttributes('vs_1', 'file-2', {}), null)
  })

  law(
    'a file that is detached, deleted or in a deleted store is in none, and the index is told',
    async ({ store, project }) => {
      await addFiles(store, project, 'file-1', 'file-2', 'file-3')
      const files = ['file-1', 'file-2', 'file-3'].map((id) => attachment(id))
      await project.vectorStores.create(newStore('vs_1'), files, LIMITS)
      assert.equal(await project.vectorStores.detach('vs_1', 'file-1'), true)
      assert.equal(await project.vectorStores.detach('vs_1', 'file-1'), false)
      assert.ok(await project.files.get('file-1'))
      await project.files.delete('file-2')
      assert.deepEqual(await fileIds(project, 'vs_1'), ['file-3'])
      assert.deepEqual(await changesOf(store), ['remove doc_file-1', 'remove doc_file-2'])
      assert.equal(await project.vectorStores.delete('vs_1'), true)
      assert.ok((await changesOf(store)).includes('drop vs_1'))
      const told = await store.ingestion.changes(100)
      await store.ingestion.forget(told.map(({ seq }) => seq))
      assert.deepEqual(await changesOf(store), [])
      assert.equal(await store.ingestion.take(START_SECONDS, []), null)
    },
  )

  law('what is complete is so only while its file is there', async ({ store, project, clock }) => {
    await addFiles(store, project, 'file-1', 'file-2')
    const files = [attachment('file-1'), attachment('file-2')]
    await project.vectorStores.create(newStore('vs_1'), files, LIMITS)
    const asked = ['doc_file-1', 'doc_file-2', 'doc_none']
    assert.deepEqual(await project.vectorStores.complete(asked), new Set())
    for (const { documentId } of files)
      await store.ingestion.finish(documentId, { status: 'completed', usageBytes: 1, attributes: {} })
    assert.deepEqual(await project.vectorStores.complete(asked), new Set(['doc_file-1', 'doc_file-2']))
    await project.files.delete('file-2')
    clock.advance(1)
    assert.deepEqual(await project.vectorStores.complete(asked), new Set(['doc_file-1']))
  })
}

function batches(law: Law): void {
  law('a batch counts its own files, and what of it is in progress can be cancelled', async ({ store, project }) => {
    const { vectorStores } = project
    await addFiles(store, project, 'file-1', 'file-2', 'file-3')
    await vectorStores.create(newStore('vs_1'), [attachment('file-1')], LIMITS)
    await attach(project, 'vs_1', [attachment('file-2'), attachment('file-3')], 'vsfb_1')
    await store.ingestion.finish('doc_file-2', { status: 'completed', usageBytes: 1, attributes: {} })
    assert.deepEqual(await fileIds(project, 'vs_1', { batchId: 'vsfb_1' }), ['file-2', 'file-3'])
    assert.deepEqual(await fileIds(project, 'vs_1', { batchId: 'vsfb_9' }), [])
    assert.deepEqual(await fileIds(project, 'vs_1', { status: 'completed' }), ['file-2'])
    const cancelled = await vectorStores.cancelBatch('vs_1', 'vsfb_1')
    assert.deepEqual(cancelled?.counts, { in_progress: 0, completed: 1, failed: 0, cancelled: 1, total: 2 })
    assert.equal(cancelled?.cancelled, true)
    assert.deepEqual(await vectorStores.getBatch('vs_1', 'vsfb_1'), cancelled)
    assert.equal(
      await store.ingestion.finish('doc_file-3', { status: 'completed', usageBytes: 1, attributes: {} }),
      false,
    )
    assert.deepEqual(await vectorStores.cancelBatch('vs_1', 'vsfb_1'), cancelled)
  })
}

function queue(law: Law): void {
  law(
    'files are taken in their order, each try counted, until their end is written',
    async ({ store, project, heir }) => {
      await addFiles(store, project, 'file-1', 'file-2')
      await project.vectorStores.create(newStore('vs_1'), [attachment('file-1'), attachment('file-2')], LIMITS)
      const first = await store.ingestion.take(START_SECONDS, [])
      const fixed = { projectId: 'proj_a', storeId: 'vs_1', attributes: {}, chunking: CHUNKING, attempts: 1 }
      assert.deepEqual(first, { ...fixed, documentId: 'doc_file-1', fileId: 'file-1' })
      assert.equal((await store.ingestion.take(START_SECONDS, ['doc_file-1']))?.documentId, 'doc_file-2')
      assert.equal(await store.ingestion.take(START_SECONDS, ['doc_file-1', 'doc_file-2']), null)
      assert.equal((await (await heir()).ingestion.take(START_SECONDS, []))?.attempts, 2)
      const error = { code: 'invalid_file', message: 'broken' } as const
      assert.equal(await store.ingestion.finish('doc_file-1', { status: 'failed', error }), true)
      assert.equal(
        await store.ingestion.finish('doc_file-1', { status: 'completed', usageBytes: 1, attributes: {} }),
        false,
      )
      const file = await project.vectorStores.getAttachment('vs_1', 'file-1')
      assert.deepEqual([file?.status, file?.error], ['failed', error])
      await store.ingestion.finish('doc_file-2', { status: 'completed', usageBytes: 12, attributes: {} })
      assert.equal(await store.ingestion.take(START_SECONDS, []), null)
      assert.equal((await project.vectorStores.get('vs_1'))?.usageBytes, 12)
      assert.deepEqual(await store.ingestion.stores('', 10), [{ projectId: 'proj_a', storeId: 'vs_1' }])
    },
  )

  law('what the index has lost is ingested again, and nothing else is', async ({ store, project }) => {
    const names = ['file-1', 'file-2', 'file-3', 'file-4']
    await addFiles(store, project, ...names)
    const files = names.map((id) => attachment(id))
    await project.vectorStores.create(newStore('vs_1'), files, LIMITS)
    for (const it of ['1', '2', '3']) {
      await store.ingestion.take(START_SECONDS, [])
      await store.ingestion.finish(`doc_file-${it}`, { status: 'completed', usageBytes: 5, attributes: {} })
    }
    const error = { code: 'invalid_file', message: 'broken' } as const
    await store.ingestion.finish('doc_file-4', { status: 'failed', error })
    assert.deepEqual(await store.ingestion.documents('vs_1', '', 2), ['doc_file-1', 'doc_file-2'])
    assert.deepEqual(await store.ingestion.documents('vs_1', 'doc_file-2', 2), ['doc_file-3'])
    assert.deepEqual(await store.ingestion.documents('vs_none', '', 2), [])
    assert.equal(await store.ingestion.requeue(['doc_file-2', 'doc_file-4', 'doc_none']), 1)
    const found = await project.vectorStores.get('vs_1')
    assert.deepEqual(found?.counts, { in_progress: 1, completed: 2, failed: 1, cancelled: 0, total: 4 })
    assert.equal(found?.usageBytes, 10)
    const again = await store.ingestion.take(START_SECONDS, [])
    assert.deepEqual([again?.documentId, again?.attempts], ['doc_file-2', 1])
    assert.equal(
      await store.ingestion.finish('doc_file-2', { status: 'completed', usageBytes: 5, attributes: {} }),
      true,
    )
  })

  law('attributes that are set while a file is ingested are told to the index after it is there', async (it) => {
    const { store, project } = it
    await addFiles(store, project, 'file-1', 'file-2')
    await project.vectorStores.create(newStore('vs_1'), [attachment('file-1'), attachment('file-2')], LIMITS)
    const told = async () => {
      const changes = await store.ingestion.changes(100)
      await store.ingestion.forget(changes.map(({ seq }) => seq))
      return changes.map((change) => (change.type === 'attributes' ? change.attributes : change.type))
    }
    for (const documentId of ['doc_file-1', 'doc_file-2']) {
      const job = await store.ingestion.take(START_SECONDS, [])
      assert.equal(job?.documentId, documentId)
      if (documentId === 'doc_file-1') await project.vectorStores.setAttributes('vs_1', 'file-1', { year: 2024 })
      assert.deepEqual(await told(), documentId === 'doc_file-1' ? [{ year: 2024 }] : [], 'the index has nothing yet')
      const { attributes } = job
      await store.ingestion.finish(documentId, { status: 'completed', usageBytes: 1, attributes })
      assert.deepEqual(await told(), documentId === 'doc_file-1' ? [{ year: 2024 }] : [])
    }
  })

  law('what is put off is taken when its time has come', async ({ store, project }) => {
    await addFiles(store, project, 'file-1')
    await project.vectorStores.create(newStore('vs_1'), [attachment('file-1')], LIMITS)
    await store.ingestion.take(START_SECONDS, [])
    await store.ingestion.postpone('doc_file-1', START_SECONDS + 10)
    assert.equal(await store.ingestion.take(START_SECONDS + 9, []), null)
    assert.equal((await store.ingestion.take(START_SECONDS + 10, []))?.attempts, 2)
  })
}

function endings(law: Law): void {
  law('a store that nobody uses expires: it is empty, and takes nothing more', async ({ store, project }) => {
    const { vectorStores } = project
    await addFiles(store, project, 'file-1')
    await vectorStores.create(newStore('vs_1', { expiresAfterDays: 1 }), [attachment('file-1')], LIMITS)
    await vectorStores.create(newStore('vs_2'), [], LIMITS)
    assert.equal(await store.ingestion.expire(START_SECONDS + DAY - 1, 10), 0)
    await vectorStores.touch(['vs_1', 'vs_2'], START_SECONDS + 10)
    assert.equal(await store.ingestion.expire(START_SECONDS + DAY, 10), 0)
    assert.equal(await store.ingestion.expire(START_SECONDS + DAY + 10, 10), 1)
    assert.equal(await store.ingestion.expire(START_SECONDS + DAY + 10, 10), 0)
    const expired = await vectorStores.get('vs_1')
    assert.deepEqual([expired?.expired, expired?.counts.total], [true, 0])
    assert.deepEqual(await vectorStores.usable(['vs_1', 'vs_2']), new Set(['vs_2']))
    assert.deepEqual(await attach(project, 'vs_1', [attachment('file-1')]), { type: 'expired' })
    assert.equal(await vectorStores.update('vs_1', {}, START_SECONDS), 'expired')
    assert.ok((await changesOf(store)).includes('drop vs_1'))
    assert.equal(await vectorStores.delete('vs_1'), true)
  })
}
