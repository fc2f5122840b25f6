/** One search over the files of several stores: by words, by vectors, and both fused. */
import { type Attributes, matchesFilter, type SearchFilter } from '../../protocol/search-filters.ts'
import { fuse, MIN_LISTED, type Ranked } from '../ranking/fuse.ts'
import type { Chunk, Hit, IndexQuery } from '../search-index.ts'
import { scanVectors } from './scan-vectors.ts'
import { scoreTerms } from './score-terms.ts'
import { numberOf, type Row, type StoreFile, textOf } from './store-file.ts'
import type { VectorCache } from './vector-cache.ts'

type Opened = { readonly storeId: string; readonly file: StoreFile; readonly revision: number }
type RankedChunk = Ranked & { readonly seq: number; readonly store: Opened }

export function searchStores(stores: readonly Opened[], query: IndexQuery, cache: VectorCache): Hit[] {
  const limit = Math.max(query.limit, MIN_LISTED)
  const words: RankedChunk[] = []
  const vectors: RankedChunk[] = []
  for (const store of stores) {
    const documents = query.filter === null ? null : passing(store.file, query.filter)
    if (documents?.size === 0) continue
    const wanted = { limit, documents }
    const toRanked = ({ seq, score }: { seq: number; score: number }) => ({
      key: `${store.storeId} ${seq}`,
      seq,
      score,
      store,
    })
    words.push(...scoreTerms(store.file, { ...wanted, text: query.text }).map(toRanked))
    if (query.vector) {
      const near = scanVectors(store.file, cache, { ...wanted, ...query.vector, revision: store.revision })
      vectors.push(...near.map(toRanked))
    }
  }
  return loadHits(fuse(words, vectors, query.ranking), query.limit)
}

/** The first so many that are still there: what was removed since it was found is left out. */
function loadHits(ranked: readonly RankedChunk[], limit: number): Hit[] {
  const hits: Hit[] = []
  for (const { seq, store, score } of ranked) {
    if (hits.length === limit) break
    const row = store.file.get(HIT, seq)
    if (row !== undefined) hits.push(toHit(row, store.storeId, score))
  }
  return hits
}

function passing(file: StoreFile, filter: SearchFilter): ReadonlySet<number> {
  const documents = new Set<number>()
  for (const { seq, attributes } of file.all('SELECT seq, attributes FROM documents'))
    if (matchesFilter(attributesOf(attributes), filter)) documents.add(numberOf(seq))
  return documents
}

const attributesOf = (json: unknown): Attributes => JSON.parse(textOf(json))

const HIT = `SELECT chunks.text, chunks.start, chunks."end", chunks.page, documents.id, documents.file_id, documents.filename,
  documents.attributes FROM chunks JOIN documents ON documents.seq = chunks.document WHERE chunks.seq = ?`

const toHit = (row: Row, storeId: string, score: number): Hit => ({
  storeId,
  documentId: textOf(row.id),
  fileId: textOf(row.file_id),
  filename: textOf(row.filename),
  attributes: attributesOf(row.attributes),
  score,
  chunk: toChunk(row),
})

export const toChunk = (row: Readonly<Record<string, unknown>>): Chunk => ({
  text: textOf(row.text),
  start: numberOf(row.start),
  end: numberOf(row.end),
  page: typeof row.page === 'number' ? row.page : null,
})
