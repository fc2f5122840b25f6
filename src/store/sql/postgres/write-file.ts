/** What several writes of files are made of. Whoever counts what a project holds, holds the row of the project. */
import type { FileQuota, NewFile, StoredBlob, StoredFile } from '../../file-store.ts'
import { digestOf, toFile } from '../file-codec.ts'
import { queries } from '../queries.ts'
import type { Sql } from '../query.ts'
import type { Database } from './database.ts'
import { files } from './file-queries.ts'
import { rowNumbers } from './wanted-items.ts'

/** Bytes of files and pending parts. */
export async function usedBytes(sql: Sql, projectId: string): Promise<number> {
  const held = (await sql.get(queries.sumFiles, { projectId }))?.bytes ?? 0
  return held + ((await sql.get(queries.sumProjectParts, { projectId }))?.bytes ?? 0)
}

export async function roomFor(
  sql: Sql,
  projectId: string,
  bytes: number,
  quota: FileQuota,
): Promise<'room' | 'full' | 'too-many'> {
  if (((await sql.get(queries.sumFiles, { projectId }))?.files ?? 0) >= quota.files) return 'too-many'
  return (await usedBytes(sql, projectId)) + bytes > quota.bytes ? 'full' : 'room'
}

/** The blobs have to be kept already. */
export async function insertFile(
  sql: Sql,
  projectId: string,
  { id, filename, purpose, mediaType, createdAt, expiresAt }: NewFile,
  blobs: readonly StoredBlob[],
): Promise<StoredFile> {
  const bytes = blobs.reduce((sum, blob) => sum + blob.bytes, 0)
  const digest = digestOf(blobs)
  const values = { projectId, id, filename, bytes, purpose, mediaType, digest, createdAt, expiresAt }
  const row = await sql.get(queries.insertFile, values)
  if (!row) throw new Error('the file has no row')
  const rows = blobs.map((blob, position) => ({ position, ...blob }))
  await sql.run(files.insertFileBlobs, { fileSeq: row.seq, blobs: JSON.stringify(rows) })
  return toFile(row)
}

export async function removeFiles(sql: Sql, numbers: readonly number[]): Promise<void> {
  if (numbers.length === 0) return
  const seqs = rowNumbers(numbers)
  await sql.run(files.dropBlobsOfFiles, { seqs })
  await sql.run(files.deleteFiles, { seqs })
}

/** Answers how many files and uploads it removed, at most `limit` of each. */
export const purgeFiles = (database: Database, now: number, limit: number): Promise<number> =>
  database.transaction(async (sql) => {
    const expired = await sql.all(files.lockExpiredFiles, { now, limit })
    await removeFiles(
      sql,
      expired.map(({ seq }) => seq),
    )
    const uploads = await sql.all(files.lockExpiredUploads, { now, limit })
    for (const { seq } of uploads) {
      await sql.run(queries.dropParts, { uploadSeq: seq })
      await sql.run(queries.deleteUpload, { seq })
    }
    return Math.max(expired.length, uploads.length)
  })
