/** Uploads in parts of one project. */
import { type Clock, seconds } from '../../../lib/clock.ts'
import type { UploadStore } from '../../file-store.ts'
import { chooseParts, toBlob, toNewFile, toUpload } from '../file-codec.ts'
import { queries } from '../queries.ts'
import type { Connection } from './connection.ts'
import type { GroupCommit } from './group-commit.ts'
import { insertFile, roomFor } from './write-file.ts'

export type FileParts = {
  readonly writer: Connection
  readonly reader: Connection
  readonly commits: GroupCommit
  readonly clock: Clock
}

export function createUploadStore({ writer, reader, commits, clock }: FileParts, projectId: string): UploadStore {
  const find = (connection: Connection, id: string) =>
    connection.get(queries.getUpload, { projectId, id, now: seconds(clock) })
  return {
    create: (upload, { uploads }) =>
      commits.write(() => {
        writer.run(queries.addProject, { projectId })
        const pending = writer.get(queries.countPendingUploads, { projectId, now: seconds(clock) })?.uploads ?? 0
        if (pending >= uploads) return 'too-many'
        const { fileTtlSeconds: fileTtl, ...values } = upload
        writer.run(queries.insertUpload, { projectId, ...values, fileTtl })
        return { ...upload, status: 'pending' }
      }),
    async get(id) {
      const row = find(reader, id)
      return row ? toUpload(row) : null
    },
    addPart: (id, part, blob, limits) =>
      commits.write(() => {
        const upload = find(writer, id)
        if (!upload) return 'unknown'
        if (upload.status !== 'pending') return 'closed'
        const { parts = 0, bytes = 0 } = writer.get(queries.sumParts, { uploadSeq: upload.seq }) ?? {}
        if (parts >= limits.parts) return 'too-many'
        if (bytes + blob.bytes > upload.bytes) return 'too-large'
        if (roomFor(writer, projectId, blob.bytes, { ...limits, files: Number.MAX_SAFE_INTEGER }) === 'full')
          return 'full'
        if (writer.run(queries.keepBlob, { key: blob.key }) === 0) return 'lost'
        const { key, bytes: partBytes, sha256: digest } = blob
        writer.run(queries.insertPart, { uploadSeq: upload.seq, ...part, key, bytes: partBytes, digest })
        return 'added'
      }),
    async blobsOf(id, partIds) {
      const row = find(reader, id)
      if (!row) return null
      const known = partsById(reader, row.seq)
      const blobs = partIds.map((partId) => known.get(partId))
      return blobs.every((blob) => blob !== undefined) ? blobs.map(toBlob) : null
    },
    complete: (id, partIds, file, quota) =>
      commits.write(() => {
        const upload = find(writer, id)
        if (!upload) return { type: 'unknown' }
        if (upload.status !== 'pending') return { type: 'closed', status: upload.status }
        const chosen = chooseParts(partIds, partsById(writer, upload.seq))
        if (!Array.isArray(chosen)) return chosen
        const bytes = chosen.reduce((sum, part) => sum + part.bytes, 0)
        if (bytes !== upload.bytes) return { type: 'wrong-size', bytes, declared: upload.bytes }
        if (roomFor(writer, projectId, 0, { ...quota, bytes: Number.MAX_SAFE_INTEGER }) === 'too-many')
          return { type: 'too-many' }
        const made = insertFile(writer, projectId, { ...toNewFile(upload, file), ...file }, chosen)
        close(writer, upload.seq, 'completed')
        return { type: 'completed', upload: { ...toUpload(upload), status: 'completed' }, file: made }
      }),
    cancel: (id) =>
      commits.write(() => {
        const upload = find(writer, id)
        if (!upload) return 'unknown'
        if (upload.status !== 'pending') return upload.status
        close(writer, upload.seq, 'cancelled')
        return { ...toUpload(upload), status: 'cancelled' }
      }),
  }
}

/** Its parts are dropped, except for those that became a file. */
function close(writer: Connection, seq: number, status: 'completed' | 'cancelled'): void {
  writer.run(queries.dropParts, { uploadSeq: seq })
  writer.run(queries.deleteParts, { uploadSeq: seq })
  writer.run(queries.setUploadStatus, { seq, status })
}

const partsById = (connection: Connection, uploadSeq: number) =>
  new Map(connection.all(queries.getParts, { uploadSeq }).map((part) => [part.id, part]))
