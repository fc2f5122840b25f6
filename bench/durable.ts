/**
 * `npm run bench -- --durable [--short]`: what background runs, their event logs and replicas cost, on SQLite and, where
 * `ANTIPHON_TEST_POSTGRES` names a server or one is installed, on PostgreSQL. Prints a Markdown table.
 *
 * Nothing is pinned: servers, database, upstream and load share the cores of the machine. Both databases wait for the
 * disk; a server that is given by its address does as it is set up.
 */
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { baseEnv, startProcess } from '../test/suites/start-process.ts'
import { measureJobs, measureRequests, measureResume, measureStreams, type Window } from './durable-measures.ts'
import { openPostgres, openSite, type Site } from './durable-site.ts'
import { median } from './load.ts'

const isShort = process.argv.includes('--short')
const WINDOW: Window = isShort
  ? { durationMs: 1_000, jobs: 60, logEvents: 2_000 }
  : { durationMs: 4_000, jobs: 400, logEvents: 10_000 }
const ROUNDS = isShort ? 1 : 3
const START_MS = 20_000

/** One measure, by its name; `sites`: where it was taken. Each takes some numbers per round, in the order of `figures`. */
type Measure = {
  readonly name: string
  readonly figures: readonly string[]
  readonly take: (site: Site) => Promise<readonly number[]>
}

const ONE: readonly Measure[] = [
  {
    name: '64 streams in the foreground, stored',
    figures: ['events/s', 'CPU of the server, us/event'],
    take: (site) => measureStreams(site, WINDOW, false),
  },
  {
    name: '64 streams in the background',
    figures: ['events/s', 'CPU of the server, us/event'],
    take: (site) => measureStreams(site, WINDOW, true),
  },
  {
    name: `a log of ${WINDOW.logEvents.toLocaleString('en-US')} events, read by one reader`,
    figures: ['ms', 'events/s'],
    take: (site) => measureResume(site, WINDOW),
  },
]
/** Also taken over two replicas. */
const EACH: readonly Measure[] = [
  {
    name: `tiny background runs, from the request to the end`,
    figures: ['runs/s'],
    take: (site) => measureJobs(site, WINDOW),
  },
  { name: 'stored JSON, c=64', figures: ['requests/s'], take: (site) => measureRequests(site, WINDOW) },
]

const upstream = startProcess(process.execPath, [fileURLToPath(new URL('./upstream.ts', import.meta.url))], {
  env: baseEnv(),
})
const [, port = ''] = await upstream.waitFor(/READY (\d+)/, START_MS)
const origin = `http://127.0.0.1:${port}`
const postgres = await openPostgres()
try {
  const columns = [
    { name: 'SQLite', cells: await measureAll([...ONE, ...EACH], { origin, databaseUrl: null, replicas: 1 }) },
  ]
  if (postgres) {
    const { url: databaseUrl } = postgres
    columns.push({
      name: 'PostgreSQL',
      cells: await measureAll([...ONE, ...EACH], { origin, databaseUrl, replicas: 1 }),
    })
    columns.push({ name: 'two on PostgreSQL', cells: await measureAll(EACH, { origin, databaseUrl, replicas: 2 }) })
  }
  print(columns)
} finally {
  await upstream.stop()
  await postgres?.close()
}

type Cells = ReadonlyMap<string, string>

/** The medians of the rounds, by `name, figure`. The first round is for warming up. */
async function measureAll(measures: readonly Measure[], options: Parameters<typeof openSite>[0]): Promise<Cells> {
  const site = await openSite(options)
  const cells = new Map<string, string>()
  try {
    for (const { name, figures, take } of measures) {
      const rounds: (readonly number[])[] = []
      for (let round = -1; round < ROUNDS; round++) {
        const taken = await take(site)
        if (round >= 0) rounds.push(taken)
      }
      for (const [at, figure] of figures.entries())
        cells.set(keyOf(name, figure), show(median(rounds.map((it) => it[at] ?? Number.NaN))))
      console.error(`measured: ${name}`)
    }
  } finally {
    await site.close()
  }
  return cells
}

function keyOf(name: string, figure: string): string {
  return `${name} | ${figure}`
}

function show(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString('en-US') : value >= 100 ? value.toFixed(0) : value.toFixed(1)
}

function print(columns: readonly { readonly name: string; readonly cells: Cells }[]): void {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor'
  console.log(
    `Node ${process.versions.node}, ${model}, ${cpus().length} cores, ${ROUNDS} rounds of ${WINDOW.durationMs} ms.\n`,
  )
  console.log(`| measure | figure | ${columns.map(({ name }) => name).join(' | ')} |`)
  console.log(`|${' --- |'.repeat(2 + columns.length)}`)
  for (const { name, figures } of [...ONE, ...EACH]) {
    for (const figure of figures) {
      const cells = columns.map((it) => it.cells.get(keyOf(name, figure)) ?? '')
      console.log(`| ${name} | ${figure} | ${cells.join(' | ')} |`)
    }
  }
}
