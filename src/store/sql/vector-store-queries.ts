/** Everything asked of the tables of vector stores. What a caller's id reaches is scoped to one project. */
import { query } from './query.ts'
import { PROJECT } from './response-queries.ts'

type Scope = { projectId: string; storeId: string }

export type VectorStoreRow = {
  seq: number
  id: string
  created_at: number
  name: string
  description: string | null
  metadata: string
  expires_days: number | null
  last_active_at: number
  expired: number
}
export type AttachmentRow = {
  document_id: string
  file_id: string
  created_at: number
  status: string
  attributes: string
  chunk_tokens: number
  overlap_tokens: number
  usage_bytes: number
  error_code: string | null
  error_message: string | null
}
export type BatchRow = { seq: number; id: string; created_at: number; cancelled: number }
export type CountRow = { status: string; files: number; bytes: number }
export type JobRow = Omit<AttachmentRow, 'created_at' | 'status' | 'usage_bytes' | 'error_code' | 'error_message'> & {
  project_id: string
  store_id: string
  attempts: number
}
export type ChangeRow = { seq: number; store_id: string; kind: string; document_id: string | null; body: string | null }

const STORE_COLUMNS = 'seq, id, created_at, name, description, metadata, expires_days, last_active_at, expired'
const STORE = `(select seq from vector_stores where project = ${PROJECT} and id = :storeId)`
const FILE_COLUMNS = `document_id, file_id, created_at, status, attributes, chunk_tokens, overlap_tokens, usage_bytes,
  error_code, error_message`

const ofStores = {
  countVectorStores: query<{ projectId: string }, { stores: number }>(
    `select count(*) as stores from vector_stores where project = ${PROJECT}`,
  ),
  insertVectorStore: query<{
    projectId: string
    id: string
    createdAt: number
    name: string
    description: string | null
    metadata: string
    expiresDays: number | null
    lastActiveAt: number
  }>(`
    insert into vector_stores (project, id, created_at, name, description, metadata, expires_days, last_active_at)
    values (${PROJECT}, :id, :createdAt, :name, :description, :metadata, :expiresDays, :lastActiveAt)`),
  getVectorStore: query<Scope, VectorStoreRow>(
    `select ${STORE_COLUMNS} from vector_stores where project = ${PROJECT} and id = :storeId`,
  ),
  updateVectorStore: query<{ seq: number; name: string; metadata: string; expiresDays: number | null; now: number }>(`
    update vector_stores set name = :name, metadata = :metadata, expires_days = :expiresDays, last_active_at = :now
    where seq = :seq`),
  touchVectorStore: query<Scope & { now: number }>(`
    update vector_stores set last_active_at = case when last_active_at > :now then last_active_at else :now end
    where project = ${PROJECT} and id = :storeId and expired = 0`),
  deleteVectorStore: query<{ seq: number }>('delete from vector_stores where seq = :seq'),
  countStoreFiles: query<{ seq: number }, CountRow>(`
    select status, count(*) as files, sum(usage_bytes) as bytes from vector_store_files
    where store_seq = :seq group by status`),
  /** `from` and `to`: exclusive; the page is cut by whoever reads it. */
  listVectorStoresUp: query<{ projectId: string; from: number; to: number; limit: number }, VectorStoreRow>(`
    select ${STORE_COLUMNS} from vector_stores where project = ${PROJECT} and seq > :from and seq < :to
    order by seq limit :limit`),
  listVectorStoresDown: query<{ projectId: string; from: number; to: number; limit: number }, VectorStoreRow>(`
    select ${STORE_COLUMNS} from vector_stores where project = ${PROJECT} and seq > :from and seq < :to
    order by seq desc limit :limit`),
  findExpiredVectorStores: query<{ now: number; limit: number }, { seq: number; id: string }>(`
    select seq, id from vector_stores where expires_days is not null and expired = 0
    and last_active_at + expires_days * 86400 <= :now limit :limit`),
  expireVectorStore: query<{ seq: number }>('update vector_stores set expired = 1 where seq = :seq'),
  listSearchableStores: query<{ after: string; limit: number }, { project_id: string; store_id: string }>(`
    select projects.id as project_id, vector_stores.id as store_id from vector_stores
    join projects on projects.seq = vector_stores.project
    where vector_stores.id > :after and vector_stores.expired = 0 and exists
    (select 1 from vector_store_files where store_seq = vector_stores.seq and status = 'completed')
    order by vector_stores.id limit :limit`),
}

type Attachment = {
  storeSeq: number
  batchSeq: number | null
  documentId: string
  fileId: string
  createdAt: number
  attributes: string
  chunkTokens: number
  overlapTokens: number
}
type FileKey = { storeSeq: number; fileId: string }
type Page = {
  storeSeq: number
  batchSeq: number | null
  status: string | null
  from: number
  to: number
  limit: number
}
const OF_PAGE = `from vector_store_files where store_seq = :storeSeq and seq > :from and seq < :to
  and (cast(:status as text) is null or status = :status) and (cast(:batchSeq as bigint) is null or batch_seq = :batchSeq)`

const ofFiles = {
  insertAttachment: query<Attachment>(`
    insert into vector_store_files
      (store_seq, batch_seq, document_id, file_id, created_at, status, attributes, chunk_tokens, overlap_tokens)
    values (:storeSeq, :batchSeq, :documentId, :fileId, :createdAt, 'in_progress', :attributes, :chunkTokens,
      :overlapTokens)`),
  getAttachment: query<FileKey, AttachmentRow & { seq: number }>(
    `select seq, ${FILE_COLUMNS} from vector_store_files where store_seq = :storeSeq and file_id = :fileId`,
  ),
  deleteAttachment: query<FileKey>('delete from vector_store_files where store_seq = :storeSeq and file_id = :fileId'),
  deleteAttachmentsOf: query<{ storeSeq: number }>('delete from vector_store_files where store_seq = :storeSeq'),
  setAttachmentAttributes: query<FileKey & { attributes: string }>(`
    update vector_store_files set attributes = :attributes where store_seq = :storeSeq and file_id = :fileId`),
  listAttachmentsUp: query<Page, AttachmentRow>(`select ${FILE_COLUMNS} ${OF_PAGE} order by seq limit :limit`),
  listAttachmentsDown: query<Page, AttachmentRow>(`select ${FILE_COLUMNS} ${OF_PAGE} order by seq desc limit :limit`),
  /** `ids`: a JSON array. */
  findCompleteDocuments: query<{ projectId: string; ids: string; now: number }, { document_id: string }>(`
    select document_id from vector_store_files join vector_stores on vector_stores.seq = vector_store_files.store_seq
    where document_id in (select value from json_each(:ids)) and status = 'completed'
    and vector_stores.project = ${PROJECT} and exists (select 1 from files where files.project = vector_stores.project
      and files.id = vector_store_files.file_id and (files.expires_at is null or files.expires_at > :now))`),
}

const ofBatches = {
  insertBatch: query<{ storeSeq: number; id: string; createdAt: number }>(
    'insert into vector_store_batches (store_seq, id, created_at) values (:storeSeq, :id, :createdAt)',
  ),
  getBatch: query<Scope & { id: string }, BatchRow>(`
    select seq, id, created_at, cancelled from vector_store_batches where store_seq = ${STORE} and id = :id`),
  countBatchFiles: query<{ seq: number }, CountRow>(`
    select status, count(*) as files, sum(usage_bytes) as bytes from vector_store_files
    where batch_seq = :seq group by status`),
  cancelBatch: query<{ seq: number }>('update vector_store_batches set cancelled = 1 where seq = :seq'),
  cancelBatchFiles: query<{ seq: number }>(`
    update vector_store_files set status = 'cancelled' where batch_seq = :seq and status = 'in_progress'`),
}

const ofQueue = {
  /** `except`: a JSON array. */
  takeIngestion: query<{ now: number; except: string }, { document_id: string }>(`
    update vector_store_files set attempts = attempts + 1 where seq = (
      select seq from vector_store_files where status = 'in_progress' and not_before <= :now
      and document_id not in (select value from json_each(:except)) order by not_before, seq limit 1)
    returning document_id`),
  getIngestion: query<{ documentId: string }, JobRow>(`
    select document_id, file_id, attributes, chunk_tokens, overlap_tokens, attempts, vector_stores.id as store_id,
      projects.id as project_id
    from vector_store_files join vector_stores on vector_stores.seq = vector_store_files.store_seq
    join projects on projects.seq = vector_stores.project where document_id = :documentId`),
  finishIngestion: query<{
    documentId: string
    status: string
    usageBytes: number
    errorCode: string | null
    errorMessage: string | null
  }>(`
    update vector_store_files set status = :status, usage_bytes = :usageBytes, error_code = :errorCode,
      error_message = :errorMessage where document_id = :documentId and status = 'in_progress'`),
  listCompleteDocuments: query<{ storeId: string; after: string; limit: number }, { document_id: string }>(`
    select document_id from vector_store_files join vector_stores on vector_stores.seq = vector_store_files.store_seq
    where vector_stores.id = :storeId and status = 'completed' and document_id > :after
    order by document_id limit :limit`),
  /** `ids`: a JSON array. */
  requeueIngestion: query<{ ids: string }>(`
    update vector_store_files set status = 'in_progress', usage_bytes = 0, attempts = 0, not_before = 0
    where document_id in (select value from json_each(:ids)) and status = 'completed'`),
  postponeIngestion: query<{ documentId: string; notBefore: number }>(
    'update vector_store_files set not_before = :notBefore where document_id = :documentId',
  ),
  /** What was set since it was taken. In the transaction that finishes it, which holds its row. */
  addChangedAttributes: query<{ documentId: string; attributes: string }>(`
    insert into vector_index_changes (store_id, kind, document_id, body)
    select vector_stores.id, 'attributes', document_id, attributes
    from vector_store_files join vector_stores on vector_stores.seq = vector_store_files.store_seq
    where document_id = :documentId and attributes <> :attributes`),
  addIndexChange: query<Pick<Scope, 'storeId'> & { kind: string; documentId: string | null; body: string | null }>(`
    insert into vector_index_changes (store_id, kind, document_id, body)
    values (:storeId, :kind, :documentId, :body)`),
  listIndexChanges: query<{ limit: number }, ChangeRow>(
    'select seq, store_id, kind, document_id, body from vector_index_changes order by seq limit :limit',
  ),
  deleteIndexChange: query<{ seq: number }>('delete from vector_index_changes where seq = :seq'),
}

export const vectorStoreQueries = { ...ofStores, ...ofFiles, ...ofBatches, ...ofQueue }
