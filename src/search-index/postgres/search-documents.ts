/** One search over the files of several stores: by words, by vectors, and both fused. */
import { type Attributes, matchesFilter, type SearchFilter } from '../../protocol/search-filters.ts'
import { fuse, MIN_LISTED, type Ranked } from '../ranking/fuse.ts'
import {
  bestScore,
  chooseTerms,
  MAX_SEARCHED_TERMS,
  MIN_CANDIDATES,
  type Term,
  termsOf,
  weigh,
} from '../ranking/weigh-terms.ts'
import type { Chunk, Hit, IndexQuery } from '../search-index.ts'
import type { IndexDatabase } from './database.ts'
import { type ChunkRow, type HitRow, reads, type ScoredRow } from './index-queries.ts'
import { type Parts, requireVectors } from './write-documents.ts'

type RankedChunk = Ranked & { readonly storeId: string; readonly document: number; readonly position: number }
type Bounds = { readonly limit: number; readonly documents: string | null }

export async function searchDocuments(
  { database, vectors }: Parts,
  query: IndexQuery,
  signal: AbortSignal,
): Promise<readonly Hit[]> {
  const limit = Math.max(query.limit, MIN_LISTED)
  const words: RankedChunk[] = []
  const likes: RankedChunk[] = []
  for (const storeId of query.storeIds) {
    signal.throwIfAborted()
    const store = (await database.get(reads.findStore, { id: storeId }))?.seq
    const documents = store === undefined || query.filter === null ? null : await passing(database, store, query.filter)
    if (store === undefined || documents === NONE) continue
    const toRanked = ({ document, position, score }: ScoredRow): RankedChunk => ({
      ...{ key: `${storeId} ${document} ${position}`, storeId, document, position, score },
    })
    signal.throwIfAborted()
    words.push(...(await scoreWords(database, store, query.text, { limit, documents })).map(toRanked))
    signal.throwIfAborted()
    if (query.vector === null) continue
    const wanted = { store, ...query.vector, limit, documents }
    likes.push(...(await requireVectors(vectors).nearest(database, wanted)).map(toRanked))
  }
  return loadHits(database, fuse(words, likes, query.ranking).slice(0, query.limit))
}

const NONE = '{}'

/** Row numbers of the documents that the filter lets through. */
async function passing(database: IndexDatabase, store: number, filter: SearchFilter): Promise<string> {
  const rows = await database.all(reads.listAttributes, { store })
  return `{${rows.filter(({ attributes }) => matchesFilter(attributesOf(attributes), filter)).map(({ seq }) => seq)}}`
}

const attributesOf = (json: string): Attributes => JSON.parse(json)

async function scoreWords(
  database: IndexDatabase,
  store: number,
  text: string,
  { limit, documents }: Bounds,
): Promise<readonly ScoredRow[]> {
  const asked = termsOf(text)
  const totals = await database.get(reads.sumStore, { store })
  const count = totals?.chunks ?? 0
  if (asked.length === 0 || count === 0) return []
  const counted = await database.all(reads.countChunks, { store, terms: JSON.stringify(asked) })
  const chunksOf = new Map(counted.map(({ term, chunks }) => [term, chunks]))
  const terms = weigh(asked, (term) => chunksOf.get(term) ?? 0, count)
  const { known, telling } = chooseTerms(terms, count)
  const candidates = Math.max(limit, MIN_CANDIDATES)
  const find = (leading: readonly Term[]) => {
    const rarest = leading.slice(0, MAX_SEARCHED_TERMS)
    const common = known.filter((term) => !rarest.includes(term))
    const average = Math.max(1, (totals?.terms ?? 0) / count)
    const wanted = { store, telling: toJson(rarest), common: toJson(common), average, limit: candidates }
    return documents === null
      ? database.all(reads.scoreTerms, wanted)
      : database.all(reads.scoreTermsWithin, { ...wanted, documents })
  }
  const found = telling.length > 0 ? await find(telling) : []
  const isEnough = known.length === telling.length || found.length >= candidates
  const best = bestScore(terms)
  return (isEnough ? found : await find(known))
    .slice(0, limit)
    .map((row) => ({ ...row, score: Math.min(1, row.score / best) }))
}

const toJson = (terms: readonly Term[]): string => JSON.stringify(terms.map(({ term, weight }) => ({ term, weight })))

/** What was removed since it was found is left out. */
async function loadHits(database: IndexDatabase, ranked: readonly RankedChunk[]): Promise<readonly Hit[]> {
  if (ranked.length === 0) return []
  const chunks = JSON.stringify(ranked.map(({ document, position }) => ({ document, position })))
  const rows = await database.all(reads.getHits, { chunks })
  return rows.flatMap((row) => {
    const found = ranked[row.place - 1]
    return found === undefined ? [] : [toHit(row, found)]
  })
}

const toHit = (row: HitRow, { storeId, score }: RankedChunk): Hit => ({
  storeId,
  documentId: row.id,
  fileId: row.file_id,
  filename: row.filename,
  attributes: attributesOf(row.attributes),
  score,
  chunk: toChunk(row),
})

export const toChunk = ({ body, starts, ends, page }: ChunkRow): Chunk => ({
  text: String(JSON.parse(body)),
  start: starts,
  end: ends,
  page,
})
