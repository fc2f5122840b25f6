/** Everything asked of the tables of the index but vectors. Whatever is read is read of one store. */
import { query } from '../../lib/query.ts'
import { B, K1 } from '../ranking/weigh-terms.ts'
import { BLOCK } from './postings.ts'

type None = Record<never, never>
type Id = { id: string }
type OfDocument = { storeId: string; documentId: string }
export type ChunkRow = { body: string; starts: number; ends: number; page: number | null }
export type HitRow = ChunkRow & { place: number; id: string; file_id: string; filename: string; attributes: string }
export type ScoredRow = { document: number; position: number; score: number }

const STORE = '(select seq from search_stores where id = :storeId)'
const DOCUMENT = `(select seq from search_documents where store = ${STORE} and id = :documentId)`
const CHUNK = 'search_chunks.body, search_chunks.starts, search_chunks.ends, search_chunks.page'

export const writes = {
  /** Nobody drops it until the transaction ends. */
  holdStore: query<Id, { seq: number }>('select seq from search_stores where id = :id for key share'),
  addStore: query<Id, None>('insert into search_stores (id) values (:id) on conflict (id) do nothing'),
  dropStore: query<Id, None>('delete from search_stores where id = :id'),
  /** "DOCS": one writer of a document at a time. */
  lockDocument: query<OfDocument, { done: boolean }>(
    `select pg_advisory_xact_lock(hashtextextended(concat(current_schema(), ' ', cast(:storeId as text), ' ', cast(:documentId as text)), 1146045267))
      is null as done`,
  ),
  addDocument: query<
    { store: number; id: string; fileId: string; filename: string; attributes: string; chunks: number },
    { seq: number }
  >(`
    insert into search_documents (store, id, file_id, filename, attributes, chunks, term_count)
    values (:store, :id, :fileId, :filename, :attributes, :chunks, 0) returning seq`),
  countTerms: query<{ seq: number; terms: number }, None>(
    'update search_documents set term_count = :terms where seq = :seq',
  ),
  deleteDocument: query<OfDocument, None>(`delete from search_documents where store = ${STORE} and id = :documentId`),
  setAttributes: query<OfDocument & { attributes: string }, None>(`
    update search_documents set attributes = :attributes where store = ${STORE} and id = :documentId`),
  /** `chunks`: a JSON array of rows. */
  addChunks: query<{ document: number; chunks: string }, None>(`
    insert into search_chunks (document, position, starts, ends, page, body)
    select cast(:document as bigint), position, starts, ends, page, body
    from json_to_recordset(cast(:chunks as json)) as it (position integer, starts bigint, ends bigint, page integer, body text)`),
  /** `postings`: a JSON array of rows. */
  addPostings: query<{ store: number; document: number; block: number; postings: string }, None>(`
    insert into search_postings (store, term, document, block, hits)
    select cast(:store as bigint), term, cast(:document as bigint), cast(:block as integer), hits
    from json_to_recordset(cast(:postings as json)) as it (term text, hits bigint[])`),
}

/** Of a term with a weight, in the chunk of a hit. `average`: terms of a chunk. */
const SCORE = `weight * ((hit >> 16) & 65535) * ${K1 + 1}
  / (((hit >> 16) & 65535) + ${K1} * (${1 - B} + ${B} * (hit & 65535) / cast(:average as double precision)))`
const WANTED = (name: string) =>
  `json_to_recordset(cast(:${name} as json)) as wanted (term text, weight double precision)`
/** By its index, whatever the planner thinks of a table that has just grown. */
const POSTINGS = `select document, block, hits from search_postings
  where store = :store and search_postings.term = wanted.term collate "C"`
const IN_DOCUMENTS = 'document in (select unnest(cast(:documents as bigint[])))'

type Wanted = { store: number; telling: string; common: string; average: number; limit: number }

/**
 * The best chunks by the terms that tell, and what the common ones add to those. `telling`, `common`: JSON arrays of terms
 * with their weights.
 */
const scoreTerms = (bounds: string) => `
  with best as (
    select document, cast(hit >> 32 as integer) as position, sum(${SCORE}) as score
    from ${WANTED('telling')} cross join lateral (${POSTINGS}${bounds} offset 0) as postings cross join unnest(hits) as hit
    group by 1, 2 order by 3 desc, 1, 2 limit :limit)
  select document, position, score + coalesce((
    select sum(${SCORE}) from ${WANTED('common')}
    cross join lateral (${POSTINGS} and document = best.document and block = best.position / ${BLOCK} offset 0) as postings
    cross join unnest(hits) as hit where hit >> 32 = best.position), 0) as score
  from best order by 3 desc, 1, 2`

export const reads = {
  findStore: query<Id, { seq: number }>('select seq from search_stores where id = :id'),
  sumStore: query<{ store: number }, { chunks: number; terms: number }>(`
    select coalesce(sum(chunks), 0) as chunks, coalesce(sum(term_count), 0) as terms
    from search_documents where store = :store`),
  /** `terms`: a JSON array. */
  countChunks: query<{ store: number; terms: string }, { term: string; chunks: number }>(`
    select wanted.term, chunks from json_array_elements_text(cast(:terms as json)) as wanted (term)
    cross join lateral (
      select sum(cardinality(hits)) as chunks from search_postings
      where store = :store and search_postings.term = wanted.term collate "C" offset 0) as counted
    where chunks is not null`),
  scoreTerms: query<Wanted, ScoredRow>(scoreTerms('')),
  /** `documents`: an array of row numbers. */
  scoreTermsWithin: query<Wanted & { documents: string }, ScoredRow>(scoreTerms(` and ${IN_DOCUMENTS}`)),
  listAttributes: query<{ store: number }, { seq: number; attributes: string }>(
    'select seq, attributes from search_documents where store = :store and chunks > 0',
  ),
  /** `chunks`: a JSON array of `{ document, position }`; `place` counts them from 1. */
  getHits: query<{ chunks: string }, HitRow>(`
    select place, ${CHUNK}, search_documents.id, search_documents.file_id, search_documents.filename,
      search_documents.attributes
    from json_array_elements(cast(:chunks as json)) with ordinality as wanted (it, place)
    join search_chunks on search_chunks.document = cast(it ->> 'document' as bigint)
      and search_chunks.position = cast(it ->> 'position' as integer)
    join search_documents on search_documents.seq = search_chunks.document order by place`),
  getChunks: query<OfDocument & { from: number; limit: number }, ChunkRow>(`
    select ${CHUNK} from search_chunks where document = ${DOCUMENT} and position >= :from
    order by position limit :limit`),
  /** `ids`: a JSON array. */
  findDocuments: query<{ storeId: string; ids: string }, { id: string }>(`
    select id from search_documents where store = ${STORE}
      and id in (select id from json_array_elements_text(cast(:ids as json)) as asked (id))`),
  listWithoutVectors: query<{ storeId: string; model: string; limit: number }, { id: string }>(`
    select id from search_documents where store = ${STORE} and model is distinct from :model and chunks > 0
    order by seq limit :limit`),
}
