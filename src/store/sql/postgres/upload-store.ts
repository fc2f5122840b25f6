/** Uploads in parts of one project. A write holds the row of the project first, then that of the upload. */
import { seconds } from '../../../lib/clock.ts'
import type { AddedPart, CompletedUpload, UploadStore } from '../../file-store.ts'
import { chooseParts, toBlob, toNewFile, toUpload } from '../file-codec.ts'
import { queries } from '../queries.ts'
import type { Sql } from '../query.ts'
import { files } from './file-queries.ts'
import { holdProject } from './hold-project.ts'
import type { StoreParts } from './parts.ts'
import { insertFile, roomFor } from './write-file.ts'

export function createUploadStore({ database, clock, ensureProject }: StoreParts, projectId: string): UploadStore {
  const find = (id: string) => database.get(queries.getUpload, { projectId, id, now: seconds(clock) })
  const hold = (sql: Sql, id: string) => sql.get(files.holdUpload, { projectId, id, now: seconds(clock) })
  return {
    async create(upload, { uploads }) {
      await ensureProject(projectId)
      return database.transaction(async (sql) => {
        await sql.get(holdProject, { projectId })
        const pending = await sql.get(queries.countPendingUploads, { projectId, now: seconds(clock) })
        if ((pending?.uploads ?? 0) >= uploads) return 'too-many'
        const { fileTtlSeconds: fileTtl, ...values } = upload
        await sql.run(queries.insertUpload, { projectId, ...values, fileTtl })
        return { ...upload, status: 'pending' as const }
      })
    },
    async get(id) {
      const row = await find(id)
      return row ? toUpload(row) : null
    },
    addPart: (id, part, blob, limits) =>
      database.transaction(async (sql): Promise<AddedPart> => {
        await sql.get(holdProject, { projectId })
        const upload = await hold(sql, id)
        if (!upload) return 'unknown'
        if (upload.status !== 'pending') return 'closed'
        const { parts = 0, bytes = 0 } = (await sql.get(queries.sumParts, { uploadSeq: upload.seq })) ?? {}
        if (parts >= limits.parts) return 'too-many'
        if (bytes + blob.bytes > upload.bytes) return 'too-large'
        const anyFiles = { ...limits, files: Number.MAX_SAFE_INTEGER }
        if ((await roomFor(sql, projectId, blob.bytes, anyFiles)) === 'full') return 'full'
        if ((await sql.run(queries.keepBlob, { key: blob.key })) === 0) return 'lost'
        const { key, bytes: partBytes, sha256: digest } = blob
        await sql.run(queries.insertPart, { uploadSeq: upload.seq, ...part, key, bytes: partBytes, digest })
        return 'added'
      }),
    async blobsOf(id, partIds) {
      const row = await find(id)
      if (!row) return null
      const known = await partsById(database, row.seq)
      const blobs = partIds.map((partId) => known.get(partId))
      return blobs.every((blob) => blob !== undefined) ? blobs.map(toBlob) : null
    },
    complete: (id, partIds, file, quota) =>
      database.transaction(async (sql): Promise<CompletedUpload> => {
        await sql.get(holdProject, { projectId })
        const upload = await hold(sql, id)
        if (!upload) return { type: 'unknown' }
        if (upload.status !== 'pending') return { type: 'closed', status: upload.status }
        const chosen = chooseParts(partIds, await partsById(sql, upload.seq))
        if (!Array.isArray(chosen)) return chosen
        const bytes = chosen.reduce((sum, part) => sum + part.bytes, 0)
        if (bytes !== upload.bytes) return { type: 'wrong-size', bytes, declared: upload.bytes }
        const anyBytes = { ...quota, bytes: Number.MAX_SAFE_INTEGER }
        if ((await roomFor(sql, projectId, 0, anyBytes)) === 'too-many') return { type: 'too-many' }
        const made = await insertFile(sql, projectId, { ...toNewFile(upload, file), ...file }, chosen)
        await close(sql, upload.seq, 'completed')
        return { type: 'completed', upload: { ...toUpload(upload), status: 'completed' }, file: made }
      }),
    cancel: (id) =>
      database.transaction(async (sql) => {
        const upload = await hold(sql, id)
        if (!upload) return 'unknown'
        if (upload.status !== 'pending') return upload.status
        await close(sql, upload.seq, 'cancelled')
        return { ...toUpload(upload), status: 'cancelled' as const }
      }),
  }
}

/** Its parts are dropped, except for those that became a file. */
async function close(sql: Sql, seq: number, status: 'completed' | 'cancelled'): Promise<void> {
  await sql.run(queries.dropParts, { uploadSeq: seq })
  await sql.run(queries.deleteParts, { uploadSeq: seq })
  await sql.run(queries.setUploadStatus, { seq, status })
}

const partsById = async (sql: Sql, uploadSeq: number) =>
  new Map((await sql.all(queries.getParts, { uploadSeq })).map((part) => [part.id, part]))
