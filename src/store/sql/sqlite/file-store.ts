/** The files of one project, and the blobs that nobody owns. */
import { seconds } from '../../../lib/clock.ts'
import type { BlobLedger, FileStore } from '../../file-store.ts'
import { toBlob, toFile } from '../file-codec.ts'
import { queries } from '../queries.ts'
import type { Connection } from './connection.ts'
import { createUploadStore, type FileParts } from './upload-store.ts'
import { insertFile, removeFile, roomFor, usedBytes } from './write-file.ts'

export function createFileStore(parts: FileParts, projectId: string): FileStore {
  const { writer, reader, commits, clock } = parts
  const find = (connection: Connection, id: string) =>
    connection.get(queries.getFile, { projectId, id, now: seconds(clock) })
  return {
    uploads: createUploadStore(parts, projectId),
    create: (file, blob, quota) =>
      commits.write(() => {
        const room = roomFor(writer, projectId, blob.bytes, quota)
        if (room !== 'room') return room
        if (writer.run(queries.keepBlob, { key: blob.key }) === 0) return 'lost'
        writer.run(queries.addProject, { projectId })
        return insertFile(writer, projectId, file, [blob])
      }),
    async get(id) {
      const row = find(reader, id)
      return row ? toFile(row) : null
    },
    async blobsOf(id) {
      const row = find(reader, id)
      return row ? reader.all(queries.getFileBlobs, { fileSeq: row.seq }).map(toBlob) : null
    },
    async list({ limit, order, after, purpose }) {
      const page = { projectId, now: seconds(clock), purpose, limit: limit + 1 }
      const rising = order === 'asc'
      if (after === null) return reader.all(rising ? queries.listFilesUp : queries.listFilesDown, page).map(toFile)
      if (!find(reader, after)) return 'unknown-after'
      const next = rising ? queries.listFilesUpAfter : queries.listFilesDownAfter
      return reader.all(next, { ...page, after }).map(toFile)
    },
    delete: (id) =>
      commits.write(() => {
        const row = find(writer, id)
        if (row) removeFile(writer, row.seq)
        return row !== undefined
      }),
    usedBytes: async () => usedBytes(reader, projectId),
  }
}

export function createBlobLedger({ writer, commits }: Omit<FileParts, 'clock'>): BlobLedger {
  return {
    async begin(key, at) {
      await commits.write(() => writer.run(queries.beginBlob, { key, at }))
    },
    async giveUp(key) {
      await commits.write(() => writer.run(queries.giveUpBlob, { key }))
    },
    findUnowned: (begunBefore, limit) =>
      commits.write(() => {
        writer.run(queries.giveUpOldBlobs, { begunBefore })
        return writer.all(queries.findDroppedBlobs, { limit }).map(({ key }) => key)
      }),
    async forget(keys) {
      await commits.write(() => {
        for (const key of keys) writer.run(queries.forgetBlob, { key })
      })
    },
  }
}
