/** What several writes of files are made of. Each function runs inside a unit of the group commit. */
import type { FileQuota, NewFile, StoredBlob, StoredFile } from '../../file-store.ts'
import { digestOf, toFile } from '../file-codec.ts'
import { queries } from '../queries.ts'
import type { Connection } from './connection.ts'

/** Bytes of files and pending parts. */
export function usedBytes(connection: Connection, projectId: string): number {
  const files = connection.get(queries.sumFiles, { projectId })?.bytes ?? 0
  return files + (connection.get(queries.sumProjectParts, { projectId })?.bytes ?? 0)
}

/** Inside the transaction that fills it, so that many at once cannot all find the same room. */
export function roomFor(
  connection: Connection,
  projectId: string,
  bytes: number,
  quota: FileQuota,
): 'room' | 'full' | 'too-many' {
  if ((connection.get(queries.sumFiles, { projectId })?.files ?? 0) >= quota.files) return 'too-many'
  return usedBytes(connection, projectId) + bytes > quota.bytes ? 'full' : 'room'
}

/** The blobs have to be kept already. */
export function insertFile(
  writer: Connection,
  projectId: string,
  { id, filename, purpose, mediaType, createdAt, expiresAt }: NewFile,
  blobs: readonly StoredBlob[],
): StoredFile {
  const bytes = blobs.reduce((sum, blob) => sum + blob.bytes, 0)
  const digest = digestOf(blobs)
  const values = { projectId, id, filename, bytes, purpose, mediaType, digest, createdAt, expiresAt }
  const row = writer.get(queries.insertFile, values)
  if (!row) throw new Error('the file has no row')
  for (const [position, { key, bytes, sha256 }] of blobs.entries()) {
    writer.run(queries.insertFileBlob, { fileSeq: row.seq, position, key, bytes, digest: sha256 })
  }
  return toFile(row)
}

export function removeFile(writer: Connection, seq: number): void {
  writer.run(queries.dropFileBlobs, { fileSeq: seq })
  writer.run(queries.deleteFile, { seq })
}

/** Answers how many files and uploads it removed, at most `limit` of each. */
export function purgeFiles(writer: Connection, now: number, limit: number): number {
  const files = writer.all(queries.findExpiredFiles, { now, limit })
  for (const { seq } of files) removeFile(writer, seq)
  const uploads = writer.all(queries.findExpiredUploads, { now, limit })
  for (const { seq } of uploads) {
    writer.run(queries.dropParts, { uploadSeq: seq })
    writer.run(queries.deleteUpload, { seq })
  }
  return Math.max(files.length, uploads.length)
}
