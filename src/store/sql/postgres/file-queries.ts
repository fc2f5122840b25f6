/** What is asked of files, uploads and blobs in another way than of SQLite. */
import { fileQueries } from '../file-queries.ts'
import { query } from '../query.ts'
import { uploadQueries } from '../upload-queries.ts'
import { forUpdate } from './for-update.ts'

type Changed = Record<never, never>
type Seqs = { seqs: string }

export const files = {
  beginBlob: query<{ key: string; at: number; owner: number }, Changed>(
    `insert into blobs (key, state, begun_at, owner) values (:key, 'writing', :at, :owner)`,
  ),
  /** `keys`: a JSON array. */
  forgetBlobs: query<{ keys: string }, Changed>(`
    delete from blobs where state = 'dropped'
      and key in (select key from json_array_elements_text(cast(:keys as json)) as gone (key))`),
  /** `blobs`: a JSON array of `{ position, key, bytes, sha256 }`. */
  insertFileBlobs: query<{ fileSeq: number; blobs: string }, Changed>(`
    insert into file_blobs (file_seq, position, key, bytes, sha256)
    select cast(:fileSeq as bigint), position, key, bytes, sha256
    from json_to_recordset(cast(:blobs as json)) as it (position integer, key text, bytes bigint, sha256 text)`),
  holdFile: forUpdate(fileQueries.getFile),
  holdUpload: forUpdate(uploadQueries.getUpload),
  lockExpiredFiles: forUpdate(fileQueries.findExpiredFiles, 'skip locked'),
  lockExpiredUploads: forUpdate(uploadQueries.findExpiredUploads, 'skip locked'),
  dropBlobsOfFiles: query<Seqs, Changed>(`
    update blobs set state = 'dropped'
    where key in (select key from file_blobs where file_seq = any(cast(:seqs as bigint[])))`),
  deleteFiles: query<Seqs, Changed>('delete from files where seq = any(cast(:seqs as bigint[]))'),
}
