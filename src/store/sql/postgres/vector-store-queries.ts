/** What is asked of vector stores in another way than of SQLite. */
import { query } from '../query.ts'
import { vectorStoreQueries } from '../vector-store-queries.ts'
import { forUpdate } from './for-update.ts'
import { DEAD_OWNER } from './replica-queries.ts'

type Changed = Record<never, never>
type None = Record<never, never>
type Mine = { owner: number; now: number }

/** `ids`: a JSON array. */
const IDS = 'select id from json_array_elements_text(cast(:ids as json)) as asked (id)'

export const vectorStores = {
  holdVectorStore: forUpdate(vectorStoreQueries.getVectorStore),
  holdBatch: forUpdate(vectorStoreQueries.getBatch),
  holdExpiredVectorStores: forUpdate(vectorStoreQueries.findExpiredVectorStores, 'skip locked'),
  /** Nobody deletes them until the transaction ends. */
  holdFiles: query<{ projectId: string; ids: string; now: number }, { id: string }>(`
    select id from files where project = (select seq from projects where id = :projectId)
      and (expires_at is null or expires_at > :now) and id in (${IDS}) order by seq for key share`),
  findUsable: query<{ projectId: string; ids: string }, { id: string }>(`
    select id from vector_stores where project = (select seq from projects where id = :projectId)
      and expired = 0 and id in (${IDS})`),
  findComplete: query<{ projectId: string; ids: string; now: number }, { document_id: string }>(`
    select document_id from vector_store_files join vector_stores on vector_stores.seq = vector_store_files.store_seq
    where document_id in (${IDS}) and status = 'completed'
      and vector_stores.project = (select seq from projects where id = :projectId)
      and exists (select from files where files.project = vector_stores.project
        and files.id = vector_store_files.file_id and (files.expires_at is null or files.expires_at > :now))`),
}

export const ingestion = {
  /** `now`: milliseconds, of leases; `due`: seconds. */
  takeIngestion: query<Mine & { due: number; ids: string }, { document_id: string }>(`
    update vector_store_files set attempts = attempts + 1, owner = :owner where seq = (
      select seq from vector_store_files where status = 'in_progress' and not_before <= :due
      and document_id not in (${IDS})
      and (owner is null or owner = :owner or ${DEAD_OWNER('vector_store_files')})
      order by not_before, seq limit 1 for no key update skip locked)
    returning document_id`),
  postponeIngestion: query<{ documentId: string; notBefore: number }, Changed>(
    'update vector_store_files set not_before = :notBefore, owner = null where document_id = :documentId',
  ),
  requeueIngestion: query<{ ids: string }, Changed>(`
    update vector_store_files set status = 'in_progress', usage_bytes = 0, attempts = 0, not_before = 0, owner = null
    where document_id in (${IDS}) and status = 'completed'`),
  /** "TELL": one who reads what is to be told at a time. */
  lockChanges: query<None, { done: boolean }>(
    'select pg_advisory_xact_lock(1413827660, hashtext(current_schema())) is null as done',
  ),
  /** Whether another process that lives is telling. */
  findTeller: query<Mine, { told: boolean }>(`
    select exists (select from vector_index_changes where owner is not null and owner <> :owner
      and not ${DEAD_OWNER('vector_index_changes')}) as told`),
  takeChanges: query<{ owner: number; limit: number }, Changed>(`
    update vector_index_changes set owner = :owner
    where seq in (select seq from vector_index_changes order by seq limit :limit)`),
  forgetChanges: query<{ seqs: string }, Changed>(
    'delete from vector_index_changes where seq = any(cast(:seqs as bigint[]))',
  ),
}
