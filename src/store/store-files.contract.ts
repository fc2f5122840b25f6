/** Laws of files, uploads and the rows of blobs. */
import assert from 'node:assert/strict'
import type { NewFile, StoredBlob, StoredUpload } from './file-store.ts'
import type { ProjectStore, Store } from './store.ts'
import { type Law, START_SECONDS } from './store-fixtures.contract.ts'

const QUOTA = { bytes: 1_000, files: 10 }
const LIMITS = { ...QUOTA, uploads: 2, parts: 4 }
const HOUR = 3_600

const newFile = (id: string, change: Partial<NewFile> = {}): NewFile => ({
  id,
  filename: `${id}.txt`,
  purpose: 'user_data',
  mediaType: 'text/plain',
  createdAt: START_SECONDS,
  expiresAt: null,
  ...change,
})

const newUpload = (id: string, change: Partial<StoredUpload> = {}): Omit<StoredUpload, 'status'> => ({
  id,
  filename: 'big.bin',
  bytes: 30,
  purpose: 'assistants',
  mediaType: 'application/octet-stream',
  createdAt: START_SECONDS,
  expiresAt: START_SECONDS + HOUR,
  fileTtlSeconds: null,
  ...change,
})

async function written(store: Store, key: string, bytes = 10): Promise<StoredBlob> {
  await store.blobs.begin(key, START_SECONDS)
  return { key, bytes, sha256: key.padEnd(64, '0') }
}

const add = async (store: Store, project: ProjectStore, id: string, change: Partial<NewFile> = {}, bytes = 10) =>
  project.files.create(newFile(id, change), await written(store, `blob_of_${id}`, bytes), QUOTA)

const unowned = (store: Store) => store.blobs.findUnowned(0, 100)

export function fileContract(law: Law): void {
  filesOf(law)
  quotas(law)
  blobLife(law)
  uploads(law)
  closing(law)
  scope(law)
}

function filesOf(law: Law): void {
  law('a file and its blob appear together, and are gone together', async ({ store, project, peer }) => {
    const made = await add(store, project, 'file-1')
    assert.ok(typeof made === 'object')
    assert.deepEqual(made, { ...newFile('file-1'), bytes: 10, digest: 'blob_of_file-1'.padEnd(64, '0') })
    assert.deepEqual(await peer.forProject('proj_a').files.get('file-1'), made)
    assert.deepEqual(
      (await project.files.blobsOf('file-1'))?.map(({ key }) => key),
      ['blob_of_file-1'],
    )
    assert.deepEqual(await unowned(store), [])
    assert.equal(await project.files.delete('file-1'), true)
    assert.equal(await project.files.delete('file-1'), false)
    assert.equal(await project.files.get('file-1'), null)
    assert.equal(await project.files.blobsOf('file-1'), null)
    assert.deepEqual(await unowned(store), ['blob_of_file-1'])
  })

  law('files are listed in their order, page after page, also of one purpose (req 172)', async ({ store, project }) => {
    for (const id of ['file-b', 'file-a', 'file-c']) await add(store, project, id)
    await add(store, project, 'file-v', { purpose: 'vision' })
    const ids = async (page: object) => {
      const files = await project.files.list({ limit: 10, order: 'asc', after: null, purpose: null, ...page })
      return typeof files === 'string' ? files : files.map(({ id }) => id)
    }
    assert.deepEqual(await ids({}), ['file-b', 'file-a', 'file-c', 'file-v'])
    assert.deepEqual(await ids({ limit: 1 }), ['file-b', 'file-a'], 'one more than asked for tells that there is more')
    assert.deepEqual(await ids({ order: 'desc', after: 'file-c' }), ['file-a', 'file-b'])
    assert.deepEqual(await ids({ after: 'file-b', purpose: 'vision' }), ['file-v'])
    assert.equal(await ids({ after: 'file-none' }), 'unknown-after')
  })

  law('an expired file is unknown at once, and its bytes are given up by the purge (req 174)', async (fixture) => {
    const { store, project, clock } = fixture
    await add(store, project, 'file-1', { expiresAt: START_SECONDS + HOUR })
    await add(store, project, 'file-2')
    clock.advance(HOUR)
    assert.equal(await project.files.get('file-1'), null)
    assert.equal(await project.files.blobsOf('file-1'), null)
    assert.deepEqual((await store.countExpired(START_SECONDS + HOUR, null)).files, 1)
    assert.equal(await store.purgeExpired(START_SECONDS + HOUR - 1, 10), 0)
    assert.equal(await store.purgeExpired(START_SECONDS + HOUR, 10), 1)
    assert.deepEqual(await unowned(store), ['blob_of_file-1'])
    assert.equal((await project.files.get('file-2'))?.id, 'file-2')
  })
}

function quotas(law: Law): void {
  law('a project holds no more bytes and files than its quota, however many enter at once', async (fixture) => {
    const { store, project } = fixture
    const many = await Promise.all(Array.from({ length: 8 }, (_, at) => add(store, project, `file-${at}`, {}, 300)))
    assert.equal(many.filter((it) => it === 'full').length, 5)
    assert.equal(await project.files.usedBytes(), 900)
    assert.equal((await unowned(store)).length, 0, 'what found no room is still its writer’s to give up')
    const small = await Promise.all(Array.from({ length: 9 }, (_, at) => add(store, project, `small-${at}`, {}, 1)))
    assert.equal(small.filter((it) => it === 'too-many').length, 2)
  })
}

function blobLife(law: Law): void {
  law('a blob that was given up gets no owner any more', async ({ store, project }) => {
    const blob = await written(store, 'blob_lost')
    await store.blobs.giveUp('blob_lost')
    assert.equal(await project.files.create(newFile('file-1'), blob, QUOTA), 'lost')
    assert.equal(await project.files.get('file-1'), null)
    assert.deepEqual(await unowned(store), ['blob_lost'])
    await store.blobs.forget(['blob_lost'])
    assert.deepEqual(await unowned(store), [])
  })

  law('a blob in use is neither given up nor forgotten', async ({ store, project }) => {
    await add(store, project, 'file-1')
    await store.blobs.giveUp('blob_of_file-1')
    await store.blobs.forget(['blob_of_file-1'])
    assert.deepEqual(await unowned(store), [])
    assert.equal((await project.files.blobsOf('file-1'))?.length, 1)
  })

  law(
    'a write that takes longer than any may counts as dead; so does every one when the process died',
    async (fixture) => {
      const { store } = fixture
      await written(store, 'blob_slow')
      assert.deepEqual(await store.blobs.findUnowned(START_SECONDS, 10), [])
      assert.deepEqual(await store.blobs.findUnowned(START_SECONDS + 1, 10), ['blob_slow'])
      await store.blobs.begin('blob_new', START_SECONDS + HOUR)
      await (await fixture.heir()).failOrphans({ code: 'server_error', message: 'died' })
      assert.deepEqual(await unowned(store), ['blob_slow', 'blob_new'])
    },
  )
}

function uploads(law: Law): void {
  law(
    'parts become a file in the order they are named, and what is not named is dropped (req 175)',
    async (fixture) => {
      const { store, project } = fixture
      const { uploads: all } = project.files
      await all.create(newUpload('upload_1', { fileTtlSeconds: HOUR }), LIMITS)
      const addPart = async (id: string) =>
        all.addPart('upload_1', { id, createdAt: START_SECONDS }, await written(store, `blob_${id}`), LIMITS)
      for (const id of ['part_b', 'part_a', 'part_c']) assert.equal(await addPart(id), 'added')
      assert.equal(await addPart('part_d'), 'too-large')
      const file = { id: 'file-1', createdAt: START_SECONDS + 5 }
      const complete = (...ids: string[]) => all.complete('upload_1', ids, file, QUOTA)
      assert.deepEqual(await complete(), { type: 'no-parts' })
      assert.deepEqual(await complete('part_a', 'part_x'), { type: 'unknown-part', index: 1 })
      assert.deepEqual(await complete('part_a', 'part_b', 'part_a'), { type: 'repeated-part', index: 2 })
      assert.deepEqual(await complete('part_a'), { type: 'wrong-size', bytes: 10, declared: 30 })
      const done = await complete('part_a', 'part_c', 'part_b')
      assert.ok(done.type === 'completed')
      assert.equal(done.upload.status, 'completed')
      assert.equal(done.file.expiresAt, START_SECONDS + 5 + HOUR)
      const keys = (await project.files.blobsOf('file-1'))?.map(({ key }) => key)
      assert.deepEqual(keys, ['blob_part_a', 'blob_part_c', 'blob_part_b'])
      assert.deepEqual(await complete('part_a'), { type: 'closed', status: 'completed' })
      assert.equal(await addPart('part_e'), 'closed')
      assert.deepEqual(await unowned(store), [])
      assert.equal(await project.files.usedBytes(), 30, 'parts of a file are not counted twice')
    },
  )

  law('an upload that is completed twice at once becomes one file', async ({ store, project }) => {
    const { uploads: all } = project.files
    await all.create(newUpload('upload_1', { bytes: 10 }), LIMITS)
    await all.addPart('upload_1', { id: 'part_1', createdAt: 0 }, await written(store, 'blob_part_1'), LIMITS)
    const ends = await Promise.all(
      ['file-1', 'file-2'].map((id) => all.complete('upload_1', ['part_1'], { id, createdAt: 0 }, QUOTA)),
    )
    assert.deepEqual(ends.map(({ type }) => type).sort(), ['closed', 'completed'])
  })

  law('pending parts count against the quota, and both uploads and parts are bounded', async ({ store, project }) => {
    const { uploads: all } = project.files
    await all.create(newUpload('upload_1', { bytes: 5_000 }), LIMITS)
    await all.create(newUpload('upload_2'), LIMITS)
    assert.equal(await all.create(newUpload('upload_3'), LIMITS), 'too-many')
    const addPart = async (id: string, bytes: number) =>
      all.addPart('upload_1', { id, createdAt: 0 }, await written(store, `blob_${id}`, bytes), LIMITS)
    assert.equal(await addPart('part_1', 900), 'added')
    assert.equal(await addPart('part_2', 200), 'full')
    assert.equal(await add(store, project, 'file-1', {}, 200), 'full')
    for (const id of ['part_3', 'part_4', 'part_5']) assert.equal(await addPart(id, 1), 'added')
    assert.equal(await addPart('part_6', 1), 'too-many')
  })
}

function closing(law: Law): void {
  law('a cancelled upload drops its parts and stays closed', async ({ store, project }) => {
    const { uploads: all } = project.files
    await all.create(newUpload('upload_1'), LIMITS)
    await all.addPart('upload_1', { id: 'part_1', createdAt: 0 }, await written(store, 'blob_part_1'), LIMITS)
    const cancelled = await all.cancel('upload_1')
    assert.ok(typeof cancelled === 'object')
    assert.equal(cancelled.status, 'cancelled')
    assert.equal(await all.cancel('upload_1'), 'cancelled')
    assert.deepEqual(await unowned(store), ['blob_part_1'])
    assert.equal(await project.files.usedBytes(), 0)
  })

  law('after its hour an upload is expired, and the purge drops its parts (req 175)', async (fixture) => {
    const { store, project, clock } = fixture
    const { uploads: all } = project.files
    await all.create(newUpload('upload_1', { bytes: 10 }), LIMITS)
    await all.addPart('upload_1', { id: 'part_1', createdAt: 0 }, await written(store, 'blob_part_1'), LIMITS)
    clock.advance(HOUR)
    assert.equal((await all.get('upload_1'))?.status, 'expired')
    const late = await all.complete('upload_1', ['part_1'], { id: 'file-1', createdAt: 0 }, QUOTA)
    assert.deepEqual(late, { type: 'closed', status: 'expired' })
    assert.equal(await all.cancel('upload_1'), 'expired')
    assert.equal(await store.purgeExpired(START_SECONDS + HOUR, 10), 1)
    assert.equal(await all.get('upload_1'), null)
    assert.deepEqual(await unowned(store), ['blob_part_1'])
  })

  law('the purge of a completed upload leaves its file alone', async ({ store, project }) => {
    const { uploads: all } = project.files
    await all.create(newUpload('upload_1', { bytes: 10 }), LIMITS)
    await all.addPart('upload_1', { id: 'part_1', createdAt: 0 }, await written(store, 'blob_part_1'), LIMITS)
    await all.complete('upload_1', ['part_1'], { id: 'file-1', createdAt: 0 }, QUOTA)
    await store.purgeExpired(START_SECONDS + HOUR, 10)
    assert.equal(await all.get('upload_1'), null)
    assert.deepEqual(await unowned(store), [])
    assert.equal((await project.files.blobsOf('file-1'))?.length, 1)
  })
}

function scope(law: Law): void {
  law('to another project files and uploads answer like ones that never existed (req 75)', async (fixture) => {
    const { store, project } = fixture
    await add(store, project, 'file-1')
    await project.files.uploads.create(newUpload('upload_1'), LIMITS)
    const { files } = store.forProject('proj_b')
    for (const id of ['file-1', 'file-never']) {
      assert.equal(await files.get(id), null)
      assert.equal(await files.blobsOf(id), null)
      assert.equal(await files.delete(id), false)
      const page = { limit: 10, order: 'asc', after: id, purpose: null } as const
      assert.equal(await files.list(page), 'unknown-after')
    }
    for (const id of ['upload_1', 'upload_never']) {
      assert.equal(await files.uploads.get(id), null)
      assert.equal(await files.uploads.cancel(id), 'unknown')
      const blob = await written(store, `blob_for_${id}`)
      assert.equal(await files.uploads.addPart(id, { id: 'part_1', createdAt: 0 }, blob, LIMITS), 'unknown')
    }
    assert.deepEqual(await files.list({ limit: 10, order: 'asc', after: null, purpose: null }), [])
    assert.equal(await files.usedBytes(), 0)
  })
}
