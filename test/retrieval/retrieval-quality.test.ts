/** How good searches are, on a set whose answers are known; the figures stand in `docs/file-search.md`. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { DEFAULT_WEIGHTS } from '../../src/engine/vector-stores/search-stores.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { createDemoEmbedder, DEMO_EMBEDDER } from '../../src/models/demo/demo-embedder.ts'
import type { SearchIndex } from '../../src/search-index/search-index.ts'
import { createSqliteIndex } from '../../src/search-index/sqlite/sqlite-index.ts'
import { type CorpusChunk, makeCorpus, type QueryKind } from './make-corpus.ts'
import { createTextbookBm25, ndcgAt10, type Quality, qualityOf, type Ranking, recallAt10 } from './measures.ts'
import { MEANINGS } from './vocabulary.ts'

const SEED = 20_240_917
const CHUNKS_OF_A_DOCUMENT = 10
/** What two ways may differ by without one being worse: three questions of three hundred, one place further down. */
const EPSILON = 0.005
/** What a model that is far worse than words may cost a search by both. By reciprocal rank it was 0.07 and 0.21. */
const MOST_LOST = { recall: 0.05, ndcg: 0.075 } as const
const signal = new AbortController().signal
const FUSED = { type: 'fused', ...DEFAULT_WEIGHTS } as const
const PLAIN = { type: 'plain' } as const

const corpus = makeCorpus(SEED)
const queries = corpus.queries
const demo = createDemoEmbedder({ clock: systemClock })
let directory = ''
let index: SearchIndex

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'antiphon-quality-'))
  index = createSqliteIndex({ directory, clock: systemClock, vectorBytes: 2 ** 28 })
})
after(async () => {
  await index.close()
  await rm(directory, { recursive: true })
})

type Embed = (texts: readonly string[]) => Promise<readonly (readonly number[])[]>

/** Words and parts of words; it knows of no word what it means. */
const embedLetters: Embed = async (inputs) =>
  (await demo.embed({ model: DEMO_EMBEDDER, inputs, dimensions: null, user: null }, { signal })).vectors

const meaningsOf = (text: string) => text.toLowerCase().replace(/\p{L}+/gu, (word) => MEANINGS.get(word) ?? word)

/** Knows which words mean the same, exactly those of the set, but takes what stands around them for as important. */
const embedMeanings: Embed = (texts) => embedLetters(texts.map(meaningsOf))

/** Stands for a model that is as good at its task as words are at theirs: it also knows which words matter. */
const embedSubjects: Embed = (texts) =>
  embedLetters(
    texts.map((text) => {
      const words = text.toLowerCase().match(/\p{L}+/gu) ?? []
      return words.flatMap((word) => MEANINGS.get(word) ?? []).join(' ')
    }),
  )

async function fill(storeId: string, embed: Embed): Promise<void> {
  const puts: Promise<unknown>[] = []
  for (let from = 0; from < corpus.chunks.length; from += CHUNKS_OF_A_DOCUMENT) {
    const chunks = corpus.chunks.slice(from, from + CHUNKS_OF_A_DOCUMENT)
    const vectors = { model: storeId, vectors: await embed(chunks.map(({ text }) => text)) }
    const document = { id: `d${from}`, fileId: `f${from}`, filename: `${from}.txt`, attributes: {}, vectors }
    puts.push(index.put(storeId, document, chunks.map(toIndexed)))
  }
  await Promise.all(puts)
}

/** Where it begins tells which one it is. */
const toIndexed = ({ id, text }: CorpusChunk) => ({ text, start: id, end: id + text.length, page: null })

async function searchAll(
  storeId: string,
  embed: Embed | null,
  ranking: typeof FUSED | typeof PLAIN,
): Promise<Ranking[]> {
  const vectors = embed === null ? null : await embed(queries.map(({ text }) => text))
  const found: Ranking[] = []
  for (const [at, { text }] of queries.entries()) {
    const values = vectors?.[at]
    const vector = values === undefined ? null : { model: storeId, values }
    const asked = { storeIds: [storeId], text, vector, filter: null, limit: 10, ranking }
    found.push((await index.search(asked, signal)).map(({ chunk }) => chunk.start))
  }
  return found
}

const KINDS: readonly QueryKind[] = ['words', 'forms', 'other words', 'misspelled', 'identifier']

function tableRow(name: string, rankings: readonly Ranking[]): string {
  const ofKind = (kind: QueryKind) => {
    const at = queries.flatMap((query, place) => (query.kind === kind ? [place] : []))
    const asked = queries.filter((query) => query.kind === kind)
    return qualityOf(
      asked,
      at.map((place) => rankings[place] ?? []),
    )
  }
  const show = ({ recall, ndcg }: Quality) => `${recall.toFixed(2)} / ${ndcg.toFixed(2)}`
  return `| ${[name, show(qualityOf(queries, rankings)), ...KINDS.map((kind) => show(ofKind(kind)))].join(' | ')} |`
}

function assertNotBelow(higher: Quality, lower: Quality, what: string, allowed = { recall: EPSILON, ndcg: EPSILON }) {
  for (const measure of ['recall', 'ndcg'] as const)
    assert.ok(
      higher[measure] >= lower[measure] - allowed[measure],
      `${measure} of ${what}: ${higher[measure]} is below ${lower[measure]}`,
    )
}

test('the set is large enough, the same in every run, and no question repeats', () => {
  assert.ok(corpus.chunks.length >= 2_000, `${corpus.chunks.length} chunks`)
  assert.ok(queries.length >= 300, `${queries.length} queries`)
  assert.deepEqual(makeCorpus(SEED), corpus)
  assert.equal(new Set(queries.map(({ text }) => text)).size, queries.length)
})

test('the measures are those of the field', () => {
  const asked = {
    grades: new Map([
      [1, 2],
      [2, 1],
    ]),
  }
  assert.equal(recallAt10([1, 2], asked), 1)
  assert.equal(recallAt10([9, 2], asked), 0.5)
  assert.equal(recallAt10([0, 3, 4, 5, 6, 7, 8, 9, 10, 11, 1], asked), 0)
  assert.equal(ndcgAt10([1, 2], asked), 1)
  // Gains of 1 and 3 at the places 1 and 2, against 3 and 1.
  const [first, second] = [1, 1 / Math.log2(3)]
  assert.equal(ndcgAt10([2, 1], asked), (first + 3 * second) / (3 * first + second))
})

test('a search by words is no worse than textbook BM25, one by both no worse than either where both are good', async (t) => {
  const rows = ['']
  const measure = (name: string, rankings: readonly Ranking[]) => {
    rows.push(tableRow(name, rankings))
    return qualityOf(queries, rankings)
  }
  const searchBoth = async (name: string, storeId: string, embed: Embed) => {
    await fill(storeId, embed)
    const vectors = measure(`vectors: ${name}`, await searchAll(storeId, embed, PLAIN))
    return { vectors, both: measure(`both: ${name}`, await searchAll(storeId, embed, FUSED)) }
  }
  const textbook = createTextbookBm25(corpus.chunks)
  const baseline = measure(
    'textbook BM25',
    queries.map(({ text }) => textbook(text)),
  )
  const letters = await searchBoth('`demo-embedding`', 'vs_letters', embedLetters)
  const meanings = await searchBoth('knows synonyms', 'vs_meanings', embedMeanings)
  const subjects = await searchBoth('knows the subject', 'vs_subjects', embedSubjects)
  const words = measure('words', await searchAll('vs_letters', null, FUSED))
  t.diagnostic(rows.join('\n'))

  assertNotBelow(words, baseline, 'words')
  assertNotBelow(subjects.both, words, 'both, beside words')
  assertNotBelow(subjects.both, subjects.vectors, 'both, beside vectors')
  for (const { vectors, both } of [letters, meanings]) {
    assertNotBelow(both, vectors, 'both, beside weak vectors')
    assertNotBelow(both, words, 'both with weak vectors, beside words', MOST_LOST)
  }
})
