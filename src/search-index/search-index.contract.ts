/** The laws of the `SearchIndex` port as a suite; every adapter runs it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Attributes, matchesFilter, readFilter, type SearchFilter } from '../protocol/search-filters.ts'
import type { Chunk, ChunkVectors, IndexedDocument, IndexQuery, SearchIndex } from './search-index.ts'

export type OpenedIndex = {
  readonly index: SearchIndex
  close(): Promise<void>
}

type Law = (sentence: string, hold: (index: SearchIndex) => Promise<void>) => void

const STORE = 'vs_one'
const never = new AbortController().signal
const FUSED = { type: 'fused', vectorWeight: 1, textWeight: 1 } as const

const chunksOf = (...texts: string[]): Chunk[] =>
  texts.map((text, at) => ({ text, start: at * 100, end: at * 100 + text.length, page: at + 1 }))
const document = (id: string, fields: Partial<IndexedDocument> = {}): IndexedDocument => ({
  id,
  fileId: `file_${id}`,
  filename: `${id}.txt`,
  attributes: {},
  vectors: null,
  ...fields,
})
const query = (text: string, fields: Partial<IndexQuery> = {}): IndexQuery => ({
  storeIds: [STORE],
  text,
  vector: null,
  filter: null,
  limit: 10,
  ranking: FUSED,
  ...fields,
})
const vectorsOf = (...vectors: number[][]): ChunkVectors => ({ model: 'm', vectors })
const toward = (...values: number[]) => ({ model: 'm', values })

/** `noVectors`: why vectors cannot be tried, if they cannot. */
export function searchIndexContract(
  name: string,
  openIndex: () => Promise<OpenedIndex>,
  { noVectors = false }: { readonly noVectors?: string | false } = {},
): void {
  const lawUnless =
    (skip: string | false): Law =>
    (sentence, hold) =>
      test(`${name}: ${sentence}`, { skip }, async () => {
        const { index, close } = await openIndex()
        try {
          await hold(index)
        } finally {
          await close()
        }
      })
  const law = lawUnless(false)
  documents(law)
  words(law)
  likeness(lawUnless(noVectors))
  filters(law)
  stores(law)
}

const found = async (index: SearchIndex, asked: IndexQuery) =>
  (await index.search(asked, never)).map(({ chunk }) => chunk.text)

function documents(law: Law): void {
  law('a document is found with everything that is known of it, and read back in order', async (index) => {
    const chunks = chunksOf('Tea is grown in Assam.', 'Coffee is grown in Brazil.', 'Both are drunk hot.')
    const { bytes } = await index.put(STORE, document('a', { attributes: { year: 2024, hot: true } }), chunks)
    assert.equal(
      bytes,
      chunks.reduce((sum, { text }) => sum + text.length, 0),
    )
    const [hit, ...others] = await index.search(query('Assam'), never)
    assert.deepEqual(others, [])
    assert.ok(hit && hit.score > 0 && hit.score <= 1)
    const { score: _, ...told } = hit
    const known = { storeId: STORE, documentId: 'a', fileId: 'file_a', filename: 'a.txt' }
    assert.deepEqual(told, { ...known, attributes: { year: 2024, hot: true }, chunk: chunks[0] })
    assert.deepEqual(await index.read(STORE, 'a', { from: 0, limit: 10 }), chunks)
    assert.deepEqual(await index.read(STORE, 'a', { from: 1, limit: 1 }), chunks.slice(1, 2))
    assert.deepEqual(await index.read(STORE, 'b', { from: 0, limit: 10 }), [])
  })

  law('a document takes the place of the one before it under its id', async (index) => {
    await index.put(STORE, document('a'), chunksOf('first apple', 'second apple'))
    await index.put(STORE, document('b'), chunksOf('another apple'))
    await index.put(STORE, document('a'), chunksOf('only pear'))
    assert.deepEqual(await found(index, query('apple')), ['another apple'])
    assert.deepEqual(await index.read(STORE, 'a', { from: 0, limit: 10 }), chunksOf('only pear'))
  })

  law('what was removed is found no more, and removing it again does nothing', async (index) => {
    await index.put(STORE, document('a'), chunksOf('apple'))
    await index.put(STORE, document('b'), chunksOf('apple pie'))
    await index.remove(STORE, 'a')
    await index.remove(STORE, 'a')
    await index.remove('vs_other', 'a')
    assert.deepEqual(await found(index, query('apple')), ['apple pie'])
    assert.deepEqual(await index.read(STORE, 'a', { from: 0, limit: 10 }), [])
  })

  law('which documents are not there can be asked, also of a store that nobody knows', async (index) => {
    await index.put(STORE, document('a'), chunksOf('apple'))
    await index.put(STORE, document('empty'), [])
    await index.put('vs_other', document('b'), chunksOf('apple'))
    assert.deepEqual(await index.missing(STORE, ['a', 'b', 'empty', 'c']), ['b', 'c'])
    assert.deepEqual(await index.missing(STORE, []), [])
    assert.deepEqual(await index.missing('vs_none', ['a']), ['a'])
    await index.drop(STORE)
    assert.deepEqual(await index.missing(STORE, ['a']), ['a'])
  })

  law('a document without chunks is none to search', async (index) => {
    await index.put(STORE, document('a'), [])
    assert.deepEqual(await found(index, query('apple')), [])
    assert.deepEqual(await index.withoutVectors(STORE, 'm', 10), [])
  })
}

function words(law: Law): void {
  law('a document of many chunks is found in its last one, with any character that a text can have', async (index) => {
    const odd = 'zebra \u0000 \ufffd "quoted" \\u0041 \n end'
    const texts = Array.from({ length: 150 }, (_, at) => `apple number ${at}`)
    await index.put(STORE, document('a'), chunksOf(...texts, odd))
    assert.deepEqual(await found(index, query('zebra apple', { limit: 1 })), [odd])
    assert.deepEqual(await found(index, query('149')), ['apple number 149'])
    assert.equal((await index.read(STORE, 'a', { from: 150, limit: 5 }))[0]?.text, odd)
  })

  law('who has more of the rare words comes first, with scores that fall from at most 1 to above 0', async (index) => {
    const texts = ['apple pie with cinnamon', 'apple juice', 'apple and apple', 'a pie of cinnamon, apple and cinnamon']
    await index.put(STORE, document('a'), chunksOf(...texts, 'nothing of it'))
    const hits = await index.search(query('apple cinnamon pie'), never)
    assert.equal(hits.length, 4)
    assert.ok(hits.slice(0, 2).every(({ chunk }) => chunk.text.includes('cinnamon')))
    const scores = hits.map(({ score }) => score)
    assert.deepEqual(
      scores,
      scores.toSorted((a, b) => b - a),
    )
    assert.ok(scores.every((score) => score > 0 && score <= 1))
  })

  law('any text may be asked for: what means something to a query language means nothing here', async (index) => {
    await index.put(STORE, document('a'), chunksOf('plain words', 'NEAR and OR', 'text:star*'))
    for (const text of [
      '"',
      '""" OR',
      'a AND',
      'NEAR(',
      '*',
      'text:',
      '(((',
      '-',
      '^x',
      "'; DROP TABLE chunks",
      '\u0000',
      '',
    ])
      await index.search(query(text), never)
    assert.deepEqual(await found(index, query('near(')), ['NEAR and OR'])
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 60 }), async (text) => {
        for (const { score } of await index.search(query(text), never)) assert.ok(score > 0 && score <= 1)
      }),
      { numRuns: 60 },
    )
  })

  for (const [asked, text] of [
    ['naïve', 'A NAIVE approach'],
    ['createServer', 'call createServer(options) first'],
    ['server', 'call createServer(options) first'],
    ['batteries', 'one battery'],
    ['東京', '昨日東京に行きました'],
    ['ＡＢＣ', 'the abc of it'],
  ] as const) {
    law(`'${asked}' finds '${text}'`, async (index) => {
      await index.put(STORE, document('a'), chunksOf(text, 'something else', '大阪'))
      assert.deepEqual(await found(index, query(asked)), [text])
    })
  }

  law('of many a query gets as many as it asked for, the same every time', async (index) => {
    const texts = Array.from({ length: 120 }, (_, at) => `apple number ${at}`)
    await index.put(STORE, document('a'), chunksOf(...texts))
    const first = await found(index, query('apple', { limit: 50 }))
    assert.equal(first.length, 50)
    assert.deepEqual(await found(index, query('apple', { limit: 50 })), first)
  })
}

function likeness(law: Law): void {
  law('vectors of the model that asks count, and of no other', async (index) => {
    await index.put(STORE, document('a', { vectors: vectorsOf([1, 0], [0, 2]) }), chunksOf('east', 'north'))
    await index.put(STORE, document('b', { vectors: { model: 'n', vectors: [[1, 0]] } }), chunksOf('of another model'))
    await index.put(STORE, document('c', { vectors: vectorsOf([1, 0, 0]) }), chunksOf('of another length'))
    const hits = await index.search(query('', { vector: toward(3, 1) }), never)
    assert.deepEqual(
      hits.map(({ chunk, score }) => [chunk.text, Math.round(score * 100)]),
      [
        ['east', 95],
        ['north', 32],
      ],
    )
    assert.deepEqual(await index.withoutVectors(STORE, 'm', 10), ['b'])
  })

  law('the vectors of what was removed or replaced are found no more', async (index) => {
    await index.put(STORE, document('a', { vectors: vectorsOf([1, 0]) }), chunksOf('east'))
    await index.put(STORE, document('b', { vectors: vectorsOf([1, 0.1]) }), chunksOf('about east'))
    await index.put(STORE, document('c', { vectors: vectorsOf([1, 0.2]) }), chunksOf('nearly east'))
    await index.put(STORE, document('empty', { vectors: vectorsOf() }), [])
    await index.remove(STORE, 'a')
    await index.put(STORE, document('b'), chunksOf('north by now'))
    assert.deepEqual(await found(index, query('', { vector: toward(1, 0) })), ['nearly east'])
    await index.drop(STORE)
    assert.deepEqual(await found(index, query('', { vector: toward(1, 0) })), [])
  })

  law('of the nearest only those of documents that the filter lets through are found', async (index) => {
    for (const [id, year] of [
      ['a', 1],
      ['b', 2],
    ] as const)
      await index.put(STORE, document(id, { attributes: { year }, vectors: vectorsOf([1, year]) }), chunksOf(id))
    const filter = readFilter({ type: 'eq', key: 'year', value: 2 }, 'filters')
    assert.deepEqual(await found(index, query('', { vector: toward(1, 0), filter })), ['b'])
  })

  law('vectors can be given later, to a document that is still as it was', async (index) => {
    await index.put(STORE, document('a'), chunksOf('east', 'north'))
    assert.deepEqual(await index.withoutVectors(STORE, 'm', 10), ['a'])
    assert.equal(await index.setVectors(STORE, 'a', vectorsOf([1, 0])), false)
    assert.equal(await index.setVectors(STORE, 'b', vectorsOf([1, 0])), false)
    assert.equal(await index.setVectors(STORE, 'a', vectorsOf([1, 0], [0, 1])), true)
    assert.deepEqual(await index.withoutVectors(STORE, 'm', 10), [])
    assert.deepEqual(await found(index, query('', { vector: toward(0, 1) })), ['north'])
  })

  law('what is near in both ways comes before what is near in one, and weights shift it', async (index) => {
    const vectors = vectorsOf([1, 0], [0.9, 0.1], [0, 1])
    await index.put(STORE, document('a', { vectors }), chunksOf('like in kind', 'apple like in kind', 'apple apple'))
    const ask = (ranking: IndexQuery['ranking']) => found(index, query('apple', { vector: toward(1, 0), ranking }))
    assert.equal((await ask(FUSED))[0], 'apple like in kind')
    assert.equal((await ask({ type: 'fused', vectorWeight: 1, textWeight: 0 }))[0], 'like in kind')
    assert.equal((await ask({ type: 'fused', vectorWeight: 0, textWeight: 1 }))[0], 'apple apple')
    assert.deepEqual(await ask({ type: 'plain' }), ['like in kind', 'apple like in kind'])
  })
}

const attributesOf = fc.dictionary(
  fc.constantFrom('a', 'b', 'c'),
  fc.oneof(fc.constantFrom('x', 'y', 'z', '1'), fc.integer({ min: 0, max: 3 }), fc.boolean()),
)
const value = fc.oneof(fc.constantFrom('x', 'y', '1'), fc.integer({ min: 0, max: 3 }))
const { filter: anyFilter } = fc.letrec<{ filter: SearchFilter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3 },
    fc.record({
      type: fc.constantFrom('eq' as const, 'ne' as const, 'gt' as const, 'gte' as const, 'lt' as const, 'lte' as const),
      key: fc.constantFrom('a', 'b', 'c'),
      value,
    }),
    fc.record({
      type: fc.constantFrom('in' as const, 'nin' as const),
      key: fc.constantFrom('a', 'b', 'c'),
      values: fc.array(value, { maxLength: 3 }),
    }),
    fc.record({
      type: fc.constantFrom('and' as const, 'or' as const),
      filters: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }),
    }),
  ),
}))

function filters(law: Law): void {
  law('a filter lets through exactly the documents it is true of, also far down the list', async (index) => {
    const kept: { readonly id: string; readonly attributes: Attributes }[] = fc
      .sample(attributesOf, { numRuns: 40, seed: 7 })
      .map((attributes, at) => ({ id: `d${at}`, attributes }))
    for (const { id, attributes } of kept) await index.put(STORE, document(id, { attributes }), chunksOf('apple'))
    await fc.assert(
      fc.asyncProperty(anyFilter, async (filter) => {
        const hits = await index.search(query('apple', { filter, limit: 50 }), never)
        const expected = kept.filter(({ attributes }) => matchesFilter(attributes, filter))
        assert.deepEqual(hits.map(({ documentId }) => documentId).sort(), expected.map(({ id }) => id).sort())
      }),
      { numRuns: 150 },
    )
  })

  law('new attributes count from then on', async (index) => {
    await index.put(STORE, document('a', { attributes: { year: 1 } }), chunksOf('apple'))
    await index.setAttributes(STORE, 'a', { year: 2 })
    const filter = (year: number) => readFilter({ type: 'eq', key: 'year', value: year }, 'filters')
    assert.deepEqual(await found(index, query('apple', { filter: filter(1) })), [])
    assert.deepEqual((await index.search(query('apple', { filter: filter(2) }), never))[0]?.attributes, { year: 2 })
  })
}

function stores(law: Law): void {
  law('stores stand alone: what is in another changes no score, and is not found', async (index) => {
    await index.put(STORE, document('a'), chunksOf('apple pie', 'pear'))
    const before = await index.search(query('apple pear'), never)
    await index.put('vs_two', document('b'), chunksOf(...Array.from({ length: 50 }, () => 'apple')))
    assert.deepEqual(await index.search(query('apple pear'), never), before)
    assert.deepEqual(await found(index, query('apple', { storeIds: ['vs_none'] })), [])
    assert.deepEqual(await found(index, query('apple', { storeIds: [] })), [])
  })

  law('several stores are searched as one', async (index) => {
    await index.put(STORE, document('a'), chunksOf('apple'))
    await index.put('vs_two', document('b'), chunksOf('apple tart'))
    const hits = await index.search(query('apple', { storeIds: [STORE, 'vs_two', 'vs_none'] }), never)
    assert.deepEqual(new Set(hits.map(({ storeId }) => storeId)), new Set([STORE, 'vs_two']))
  })

  law('a store that was dropped is empty, also for one who searched it before, and can begin anew', async (index) => {
    await index.put(STORE, document('a'), chunksOf('apple'))
    await found(index, query('apple'))
    const [, seen] = await Promise.all([index.drop(STORE), found(index, query('apple'))])
    assert.ok(seen.length <= 1)
    assert.deepEqual(await found(index, query('apple')), [])
    await index.drop(STORE)
    await index.put(STORE, document('b'), chunksOf('apple again'))
    assert.deepEqual(await found(index, query('apple')), ['apple again'])
  })

  law('a search whose signal is aborted ends with its reason', async (index) => {
    await index.put(STORE, document('a'), chunksOf('apple'))
    const abort = new AbortController()
    const searches = Array.from({ length: 20 }, () => index.search(query('apple'), abort.signal))
    abort.abort(new Error('nobody waits'))
    for (const result of await Promise.allSettled(searches)) assert.equal(result.status, 'rejected')
    assert.deepEqual(await found(index, query('apple')), ['apple'])
  })
}
