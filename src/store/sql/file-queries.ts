/** Everything asked of `files`, `file_blobs` and `blobs`. What a caller's id reaches is scoped to one project. */
import { query } from './query.ts'
import { PROJECT } from './response-queries.ts'
import type { Tables } from './tables.ts'

type Files = Tables['files']
type Live = { projectId: string; now: number }
export type FileRow = Omit<Files, 'project'>
export type BlobRow = Pick<Tables['file_blobs'], 'key' | 'bytes' | 'sha256'>
type PageValues = Live & { purpose: string | null; limit: number }

const COLUMNS = 'seq, id, filename, bytes, purpose, media_type, digest, created_at, expires_at'
const IS_LIVE = `project = ${PROJECT} and (expires_at is null or expires_at > :now)`
const OF_PAGE = `${IS_LIVE} and (cast(:purpose as text) is null or purpose = :purpose)`
const AFTER = `(select after.seq from files as after where after.project = ${PROJECT} and after.id = :after)`

const ofFiles = {
  insertFile: query<
    {
      projectId: string
      id: string
      filename: string
      bytes: number
      purpose: string
      mediaType: string
      digest: string
      createdAt: number
      expiresAt: number | null
    },
    FileRow
  >(`
    insert into files (project, id, filename, bytes, purpose, media_type, digest, created_at, expires_at)
    values (${PROJECT}, :id, :filename, :bytes, :purpose, :mediaType, :digest, :createdAt, :expiresAt)
    returning ${COLUMNS}`),
  insertFileBlob: query<{ fileSeq: number; position: number; key: string; bytes: number; digest: string }>(`
    insert into file_blobs (file_seq, position, key, bytes, sha256)
    values (:fileSeq, :position, :key, :bytes, :digest)`),
  getFile: query<Live & { id: string }, FileRow>(`select ${COLUMNS} from files where ${IS_LIVE} and id = :id`),
  getFileBlobs: query<{ fileSeq: number }, BlobRow>(
    'select key, bytes, sha256 from file_blobs where file_seq = :fileSeq order by position',
  ),
  deleteFile: query<{ seq: number }>('delete from files where seq = :seq'),
  /** Expired files count until their bytes are given up. */
  sumFiles: query<{ projectId: string }, { files: number; bytes: number }>(
    `select count(*) as files, coalesce(sum(bytes), 0) as bytes from files where project = ${PROJECT}`,
  ),
  findExpiredFiles: query<{ now: number; limit: number }, Pick<Files, 'seq'>>(
    'select seq from files where expires_at <= :now order by expires_at limit :limit',
  ),
}

const ofPages = {
  listFilesUp: query<PageValues, FileRow>(`select ${COLUMNS} from files where ${OF_PAGE} order by seq limit :limit`),
  listFilesDown: query<PageValues, FileRow>(
    `select ${COLUMNS} from files where ${OF_PAGE} order by seq desc limit :limit`,
  ),
  listFilesUpAfter: query<PageValues & { after: string }, FileRow>(
    `select ${COLUMNS} from files where ${OF_PAGE} and seq > ${AFTER} order by seq limit :limit`,
  ),
  listFilesDownAfter: query<PageValues & { after: string }, FileRow>(
    `select ${COLUMNS} from files where ${OF_PAGE} and seq < ${AFTER} order by seq desc limit :limit`,
  ),
}

const ofBlobs = {
  beginBlob: query<{ key: string; at: number }>(
    `insert into blobs (key, state, begun_at) values (:key, 'writing', :at)`,
  ),
  /** Only what is being written can get an owner; nothing changes otherwise. */
  keepBlob: query<{ key: string }>(`update blobs set state = 'kept' where key = :key and state = 'writing'`),
  giveUpBlob: query<{ key: string }>(`update blobs set state = 'dropped' where key = :key and state = 'writing'`),
  giveUpOldBlobs: query<{ begunBefore: number }>(
    `update blobs set state = 'dropped' where state = 'writing' and begun_at < :begunBefore`,
  ),
  giveUpAllBlobs: query(`update blobs set state = 'dropped' where state = 'writing'`),
  dropFileBlobs: query<{ fileSeq: number }>(`
    update blobs set state = 'dropped' where key in (select key from file_blobs where file_seq = :fileSeq)`),
  findDroppedBlobs: query<{ limit: number }, Pick<Tables['blobs'], 'key'>>(
    `select key from blobs where state = 'dropped' order by begun_at limit :limit`,
  ),
  forgetBlob: query<{ key: string }>(`delete from blobs where key = :key and state = 'dropped'`),
}

export const fileQueries = { ...ofFiles, ...ofPages, ...ofBlobs }
