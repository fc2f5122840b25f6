/**
 * `npm run bench -- --retrieval [--chunks=N] [--dimensions=N] [--vector-memory=MB]`: what vector stores cost: filling one,
 * searching it by words and by both, and the memory of the process with its threads. The texts are those of the quality
 * test, the vectors random: a scan takes as long whatever they say.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../src/lib/clock.ts'
import type { SearchIndex } from '../src/search-index/search-index.ts'
import { createSqliteIndex } from '../src/search-index/sqlite/sqlite-index.ts'
import { seededRandom } from '../test/faults/seed.ts'
import { makeCorpus } from '../test/retrieval/make-corpus.ts'

const CHUNKS_OF_A_DOCUMENT = 50
const SEARCHES = 200
const SEED = 1
const STORE = 'vs_bench'
const MODEL = 'random'
const MB = 2 ** 20
const signal = new AbortController().signal

function option(name: string, otherwise: number): number {
  const value = Number(process.argv.find((arg) => arg.startsWith(`--${name}=`))?.split('=')[1] ?? otherwise)
  if (!Number.isInteger(value) || value < 0) throw new Error(`--${name} takes a whole number`)
  return value
}
const wanted = option('chunks', 100_000)
const DIMENSIONS = option('dimensions', 384)
/** As `tools.file_search.vector_memory`. */
const VECTOR_MB = option('vector-memory', 256)

const random = seededRandom(SEED)
const vector = () => Array.from({ length: DIMENSIONS }, () => random() - 0.5)
const memory = () => process.memoryUsage.rss() / MB

/** A corpus after the other, each of another seed, until there are enough. */
async function fill(index: SearchIndex): Promise<void> {
  let put = 0
  for (let seed = SEED; put < wanted; seed += 1) {
    const texts = makeCorpus(seed).chunks.map(({ text }) => text)
    for (let from = 0; from < texts.length && put < wanted; from += CHUNKS_OF_A_DOCUMENT) {
      const chunks = texts
        .slice(from, Math.min(from + CHUNKS_OF_A_DOCUMENT, from + wanted - put))
        .map((text) => ({ text, start: 0, end: text.length, page: null }))
      const id = `d${seed}_${from}`
      const vectors = { model: MODEL, vectors: chunks.map(vector) }
      await index.put(STORE, { id, fileId: id, filename: `${id}.txt`, attributes: {}, vectors }, chunks)
      put += chunks.length
    }
  }
}

/** `times`: sorted. `cpu`: of each search, with all threads; both in milliseconds. */
type Measured = { readonly times: readonly number[]; readonly cpu: number }

async function search(index: SearchIndex, byBoth: boolean): Promise<Measured> {
  const queries = makeCorpus(SEED).queries
  const times: number[] = []
  const usedBefore = process.cpuUsage()
  for (let at = 0; at < SEARCHES; at += 1) {
    const { text = '' } = queries[(at * 7) % queries.length] ?? {}
    const ranking = { type: 'fused', vectorWeight: 1, textWeight: 1 } as const
    const values = byBoth ? { model: MODEL, values: vector() } : null
    const begun = performance.now()
    await index.search({ storeIds: [STORE], text, vector: values, filter: null, limit: 10, ranking }, signal)
    times.push(performance.now() - begun)
  }
  const { user, system } = process.cpuUsage(usedBefore)
  return { times: times.sort((a, b) => a - b), cpu: (user + system) / 1000 / SEARCHES }
}

const show = (value: number) => (value >= 100 ? value.toFixed(0) : value.toFixed(1))
const percentile = (sorted: readonly number[], share: number) =>
  show(sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN)

const directory = mkdtempSync(join(tmpdir(), 'antiphon-bench-'))
const index = createSqliteIndex({ directory, clock: systemClock, vectorBytes: VECTOR_MB * MB })
try {
  const before = memory()
  const begun = performance.now()
  await fill(index)
  const seconds = (performance.now() - begun) / 1000
  const filled = memory()
  const words = await search(index, false)
  const both = await search(index, true)
  const disk = readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0) / MB
  console.log(
    `Node ${process.versions.node}, ${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores.\n`,
  )
  console.log(
    '| chunks, vectors in memory | ingested/s | words p50, p99, CPU, ms | both p50, p99, CPU, ms | memory before, filled, searched, MB | disk, MB |',
  )
  console.log('|---|---|---|---|---|---|')
  const rows = [
    `${wanted} of ${DIMENSIONS} numbers, ${VECTOR_MB} MB`,
    show(wanted / seconds),
    ...[words, both].map(({ times, cpu }) => [percentile(times, 0.5), percentile(times, 0.99), show(cpu)].join(', ')),
    [before, filled, memory()].map(show).join(', '),
    show(disk),
  ]
  console.log(`| ${rows.join(' | ')} |`)
} finally {
  await index.close()
  rmSync(directory, { recursive: true })
}
