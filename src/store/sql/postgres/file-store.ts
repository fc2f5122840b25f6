/** The files of one project, and the blobs that nobody owns. */
import { seconds } from '../../../lib/clock.ts'
import type { BlobLedger, FileStore } from '../../file-store.ts'
import { toBlob, toFile } from '../file-codec.ts'
import { queries } from '../queries.ts'
import { files } from './file-queries.ts'
import { holdProject } from './hold-project.ts'
import type { StoreParts } from './parts.ts'
import { createUploadStore } from './upload-store.ts'
import { insertFile, removeFiles, roomFor, usedBytes } from './write-file.ts'

export function createFileStore(parts: StoreParts, projectId: string): FileStore {
  const { database, clock, ensureProject } = parts
  const find = (id: string) => database.get(queries.getFile, { projectId, id, now: seconds(clock) })
  return {
    uploads: createUploadStore(parts, projectId),
    async create(file, blob, quota) {
      await ensureProject(projectId)
      return database.transaction(async (sql) => {
        await sql.get(holdProject, { projectId })
        const room = await roomFor(sql, projectId, blob.bytes, quota)
        if (room !== 'room') return room
        if ((await sql.run(queries.keepBlob, { key: blob.key })) === 0) return 'lost'
        return insertFile(sql, projectId, file, [blob])
      })
    },
    async get(id) {
      const row = await find(id)
      return row ? toFile(row) : null
    },
    async blobsOf(id) {
      const row = await find(id)
      return row ? (await database.all(queries.getFileBlobs, { fileSeq: row.seq })).map(toBlob) : null
    },
    async list({ limit, order, after, purpose }) {
      const page = { projectId, now: seconds(clock), purpose, limit: limit + 1 }
      const rising = order === 'asc'
      if (after === null) {
        return (await database.all(rising ? queries.listFilesUp : queries.listFilesDown, page)).map(toFile)
      }
      if (!(await find(after))) return 'unknown-after'
      const next = rising ? queries.listFilesUpAfter : queries.listFilesDownAfter
      return (await database.all(next, { ...page, after })).map(toFile)
    },
    delete: (id) =>
      database.transaction(async (sql) => {
        const row = await sql.get(files.holdFile, { projectId, id, now: seconds(clock) })
        if (row) await removeFiles(sql, [row.seq])
        return row !== undefined
      }),
    usedBytes: () => usedBytes(database, projectId),
  }
}

export const createBlobLedger = ({ database, owner }: StoreParts): BlobLedger => ({
  async begin(key, at) {
    await database.run(files.beginBlob, { key, at, owner: await owner() })
  },
  async giveUp(key) {
    await database.run(queries.giveUpBlob, { key })
  },
  async findUnowned(begunBefore, limit) {
    await database.run(queries.giveUpOldBlobs, { begunBefore })
    return (await database.all(queries.findDroppedBlobs, { limit })).map(({ key }) => key)
  },
  async forget(keys) {
    if (keys.length > 0) await database.run(files.forgetBlobs, { keys: JSON.stringify(keys) })
  },
})
