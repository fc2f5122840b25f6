/** Everything asked of `uploads` and `upload_parts`. */
import type { BlobRow } from './file-queries.ts'
import { query } from './query.ts'
import { PROJECT } from './response-queries.ts'
import type { Tables } from './tables.ts'

type Uploads = Tables['uploads']
type Seq = { uploadSeq: number }
export type UploadRow = Omit<Uploads, 'project'>
export type PartRow = BlobRow & Pick<Tables['upload_parts'], 'id'>

const COLUMNS = `seq, id, filename, bytes, purpose, media_type, created_at, expires_at, file_ttl,
  case when status = 'pending' and expires_at <= :now then 'expired' else status end as status`

export const uploadQueries = {
  insertUpload: query<{
    projectId: string
    id: string
    filename: string
    bytes: number
    purpose: string
    mediaType: string
    createdAt: number
    expiresAt: number
    fileTtl: number | null
  }>(`
    insert into uploads (project, id, filename, bytes, purpose, media_type, created_at, expires_at, file_ttl, status)
    values (${PROJECT}, :id, :filename, :bytes, :purpose, :mediaType, :createdAt, :expiresAt, :fileTtl, 'pending')`),
  getUpload: query<{ projectId: string; id: string; now: number }, UploadRow>(
    `select ${COLUMNS} from uploads where project = ${PROJECT} and id = :id`,
  ),
  countPendingUploads: query<{ projectId: string; now: number }, { uploads: number }>(`
    select count(*) as uploads from uploads
    where project = ${PROJECT} and status = 'pending' and expires_at > :now`),
  setUploadStatus: query<{ seq: number; status: string }>('update uploads set status = :status where seq = :seq'),
  insertPart: query<Seq & { id: string; createdAt: number; key: string; bytes: number; digest: string }>(`
    insert into upload_parts (upload_seq, id, created_at, key, bytes, sha256)
    values (:uploadSeq, :id, :createdAt, :key, :bytes, :digest)`),
  getParts: query<Seq, PartRow>('select id, key, bytes, sha256 from upload_parts where upload_seq = :uploadSeq'),
  sumParts: query<Seq, { parts: number; bytes: number }>(`
    select count(*) as parts, coalesce(sum(bytes), 0) as bytes from upload_parts where upload_seq = :uploadSeq`),
  sumProjectParts: query<{ projectId: string }, { bytes: number }>(`
    select coalesce(sum(upload_parts.bytes), 0) as bytes from uploads
    join upload_parts on upload_parts.upload_seq = uploads.seq where uploads.project = ${PROJECT}`),
  /** Those of a file are not among them: its blobs went to the file before. */
  dropParts: query<Seq>(`
    update blobs set state = 'dropped'
    where key in (select key from upload_parts where upload_seq = :uploadSeq)
      and not exists (select 1 from file_blobs where file_blobs.key = blobs.key)`),
  deleteParts: query<Seq>('delete from upload_parts where upload_seq = :uploadSeq'),
  findExpiredUploads: query<{ now: number; limit: number }, Pick<Uploads, 'seq'>>(
    'select seq from uploads where expires_at <= :now order by expires_at limit :limit',
  ),
  deleteUpload: query<{ seq: number }>('delete from uploads where seq = :seq'),
}
