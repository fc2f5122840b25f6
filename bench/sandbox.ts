/** `npm run bench -- --sandbox`: what containers cost, by adapter. Needs bubblewrap and a Python with numpy and pandas. */
import { readdirSync, readFileSync } from 'node:fs'
import { systemClock } from '../src/lib/clock.ts'
import { createBubblewrapHost } from '../src/sandbox/bubblewrap/bubblewrap-sandbox.ts'
import { createPyodideSandbox } from '../src/sandbox/bubblewrap/pyodide-sandbox.ts'
import { createRemoteSandbox } from '../src/sandbox/remote/remote-sandbox.ts'
import { createWorker } from '../src/sandbox/remote/worker.ts'
import type { Sandbox, SandboxSession, SessionLimits } from '../src/sandbox/sandbox.ts'
import { sandboxOf } from '../src/sandbox/session/sandbox-of-host.ts'

const MB = 2 ** 20
const LIMITS: SessionLimits = {
  wallMs: 60_000,
  cpuMs: 120_000,
  memoryBytes: 1024 * MB,
  diskBytes: 256 * MB,
  outputBytes: MB,
  processes: 64,
  files: 10_000,
}
const NEVER = new AbortController().signal
const ROUNDS = process.argv.includes('--short') ? 3 : 15
const RUNS = 200

const host = () =>
  createBubblewrapHost({
    clock: systemClock,
    secret: `bench-${process.pid}-${performance.now()}`,
    python: '/usr/bin/python3',
    bubblewrap: null,
  })

const run = async (session: SandboxSession, code: string) => {
  const { status } = await session.run(code, { signal: NEVER })
  if (status !== 'ok') throw new Error(`'${code}' ended as ${status}`)
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

/** Proportional memory of the processes below this one that belong to containers, in MB. */
function containerMemory(): number {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc').filter((it) => /^\d+$/.test(it))) {
    const stat = quiet(() => readFileSync(`/proc/${name}/stat`, 'utf8'))
    if (stat !== null) parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')')).split(' ')[2]))
  }
  const isBelow = (pid: number): boolean => {
    for (let at = parents.get(pid); at !== undefined && at > 1; at = parents.get(at))
      if (at === process.pid) return true
    return false
  }
  let kilobytes = 0
  for (const pid of [...parents.keys()].filter(isBelow)) {
    const rollup = quiet(() => readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))
    kilobytes += Number(/^Pss:\s+(\d+)/m.exec(rollup ?? '')?.[1] ?? 0)
  }
  return kilobytes / 1024
}

function quiet<T>(work: () => T): T | null {
  try {
    return work()
  } catch {
    return null
  }
}

async function measure(name: string, sandbox: Sandbox): Promise<string> {
  const first = await timed(async () => run(await sandbox.open(LIMITS, NEVER), '1'))
  const starts: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    starts.push(await timed(async () => run(await sandbox.open(LIMITS, NEVER), '1')))
  }
  await sandbox.close()
  const session = await sandbox.open(LIMITS, NEVER)
  await run(session, '1')
  const idle = containerMemory()
  const warm: number[] = []
  for (let round = 0; round < RUNS; round += 1) warm.push(await timed(() => run(session, '1 + 1')))
  const { hasPackages } = await sandbox.traits()
  const numpy = hasPackages ? await timed(() => run(session, 'import numpy')) : Number.NaN
  const plot = hasPackages ? await timed(() => run(session, PLOT)) : Number.NaN
  const loaded = hasPackages ? containerMemory() : Number.NaN
  await sandbox.close()
  const figures = [first, median(starts), median(warm), 1000 / median(warm), numpy, plot, idle, loaded]
  return `| ${[name, ...figures.map(shown)].join(' | ')} |`
}

const shown = (figure: number) => (Number.isNaN(figure) ? '-' : figure >= 100 ? figure.toFixed(0) : figure.toFixed(1))

const PLOT = `import pandas, matplotlib.pyplot as plt
pandas.DataFrame({"a": [1, 2, 3]}).plot()
plt.show()`

console.log(
  '| adapter | first run with self-test, ms | cold start and a run, ms | warm run, ms | runs/s of one container | import numpy, ms | pandas and a plot, ms | idle, MB | after the plot, MB |',
)
console.log('|---|---|---|---|---|---|---|---|---|')
console.log(await measure('bubblewrap', sandboxOf(host(), systemClock)))
const secret = `bench-${process.pid}`
console.log(await measure('pyodide', createPyodideSandbox({ clock: systemClock, secret, bubblewrap: null })))
const worker = createWorker({ host: host(), token: 'bench', most: LIMITS, containers: 50 })
const { url } = await worker.listen('127.0.0.1', 0)
console.log(await measure('a worker on loopback', createRemoteSandbox({ url, token: 'bench', clock: systemClock })))
await worker.close()
