/** Files and uploads, from rows to what the port speaks of; and which parts become a file. */
import { createHash } from 'node:crypto'
import type { StoredBlob, StoredFile, StoredUpload } from '../file-store.ts'
import type { FileRow } from './file-queries.ts'
import type { PartRow, UploadRow } from './upload-queries.ts'

/** Of one blob its own, so that a file sent whole is known by its content. */
export function digestOf(blobs: readonly StoredBlob[]): string {
  const [first] = blobs
  if (blobs.length === 1 && first) return first.sha256
  const hash = createHash('sha256').update('parts')
  for (const { sha256 } of blobs) hash.update(sha256)
  return hash.digest('hex')
}

export const toBlob = ({ key, bytes, sha256 }: StoredBlob): StoredBlob => ({ key, bytes, sha256 })

export const toFile = (row: FileRow): StoredFile => ({
  id: row.id,
  filename: row.filename,
  bytes: row.bytes,
  purpose: row.purpose,
  mediaType: row.media_type,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  digest: row.digest,
})

type Refused =
  | { readonly type: 'unknown-part' | 'repeated-part'; readonly index: number }
  | { readonly type: 'no-parts' }

export function chooseParts(partIds: readonly string[], known: ReadonlyMap<string, PartRow>): PartRow[] | Refused {
  if (partIds.length === 0) return { type: 'no-parts' }
  const seen = new Set<string>()
  const chosen: PartRow[] = []
  for (const [index, id] of partIds.entries()) {
    const part = known.get(id)
    if (!part) return { type: 'unknown-part', index }
    if (seen.has(id)) return { type: 'repeated-part', index }
    seen.add(id)
    chosen.push(part)
  }
  return chosen
}

export const toNewFile = (upload: UploadRow, { createdAt }: { readonly createdAt: number }) => ({
  filename: upload.filename,
  purpose: upload.purpose,
  mediaType: upload.media_type,
  expiresAt: upload.file_ttl === null ? null : createdAt + upload.file_ttl,
})

export const toUpload = (row: UploadRow): StoredUpload => ({
  id: row.id,
  filename: row.filename,
  bytes: row.bytes,
  purpose: row.purpose,
  mediaType: row.media_type,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  fileTtlSeconds: row.file_ttl,
  status: row.status,
})
