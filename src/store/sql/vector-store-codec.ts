/** Rows of vector stores, between the port's shape and the values of a row. */
import { type FileCounts, STORE_FILE_STATUSES, type StoreFileStatus } from '../../protocol/vector-stores.ts'
import type {
  IndexChange,
  IngestEnd,
  IngestJob,
  NewAttachment,
  StoredAttachment,
  StoredVectorStore,
} from '../vector-store-catalog.ts'
import type { AttachmentRow, ChangeRow, CountRow, JobRow, VectorStoreRow } from './vector-store-queries.ts'

/** Another is that of a later version, which this one cannot name. */
const toStatus = (text: string): StoreFileStatus => STORE_FILE_STATUSES.find((known) => known === text) ?? 'failed'

export function toCounts(rows: readonly CountRow[]): FileCounts {
  const counts: FileCounts = { in_progress: 0, completed: 0, failed: 0, cancelled: 0, total: 0 }
  for (const { status, files } of rows) {
    counts[toStatus(status)] += files
    counts.total += files
  }
  return counts
}

export const toVectorStore = (row: VectorStoreRow, counted: readonly CountRow[]): StoredVectorStore => ({
  id: row.id,
  createdAt: row.created_at,
  name: row.name,
  description: row.description,
  metadata: JSON.parse(row.metadata),
  expiresAfterDays: row.expires_days,
  lastActiveAt: row.last_active_at,
  expired: row.expired === 1,
  counts: toCounts(counted),
  usageBytes: counted.reduce((sum, { bytes }) => sum + bytes, 0),
})

type WrittenAttachment = Pick<
  AttachmentRow,
  'document_id' | 'file_id' | 'attributes' | 'chunk_tokens' | 'overlap_tokens'
>

const toWritten = (row: WrittenAttachment): NewAttachment => ({
  documentId: row.document_id,
  fileId: row.file_id,
  attributes: JSON.parse(row.attributes),
  chunking: { max_chunk_size_tokens: row.chunk_tokens, chunk_overlap_tokens: row.overlap_tokens },
})

export const toAttachment = (row: AttachmentRow, storeId: string): StoredAttachment => ({
  ...toWritten(row),
  storeId,
  createdAt: row.created_at,
  status: toStatus(row.status),
  usageBytes: row.usage_bytes,
  error: toError(row),
})

function toError({ error_code: code, error_message: message }: AttachmentRow): StoredAttachment['error'] {
  if (code === null) return null
  const known = code === 'unsupported_file' || code === 'invalid_file' ? code : 'server_error'
  return { code: known, message: message ?? '' }
}

export const toJob = (row: JobRow): IngestJob => ({
  ...toWritten(row),
  storeId: row.store_id,
  projectId: row.project_id,
  attempts: row.attempts,
})

export function toEndValues(documentId: string, end: IngestEnd) {
  const { status } = end
  if (status === 'completed')
    return { documentId, status, usageBytes: end.usageBytes, errorCode: null, errorMessage: null }
  return { documentId, status, usageBytes: 0, errorCode: end.error.code, errorMessage: end.error.message }
}

export function toChange({ seq, store_id: storeId, kind, document_id: id, body }: ChangeRow): IndexChange {
  if (kind === 'drop' || id === null) return { seq, storeId, type: 'drop' }
  if (kind === 'remove') return { seq, storeId, type: 'remove', documentId: id }
  return { seq, storeId, type: 'attributes', documentId: id, attributes: JSON.parse(body ?? '{}') }
}
