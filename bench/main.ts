/**
 * The benchmark: `npm run bench -- [--short | --cpu] [--only=TEXT] [--beside=FOLDER | --against=floor]`. Prints a Markdown table.
 *
 * Times on a shared machine mean little; ratios taken in one run do. Each round measures the floor and the server one
 * after the other, in alternating order, and the table shows medians of the rounds' own ratios.
 *
 * `--cpu` is for a busy machine: many short rounds, CPU time alone, and of each side the lower quartile. What neighbours
 * do only ever adds to a round, and a short round is likelier to be left alone. `--beside=FOLDER` puts the server of
 * another checkout in the floor's place: what a change brings, measured in one sitting.
 */
import { cpus } from 'node:os'
import { LOWER_QUARTILE, MEDIAN, type Measured, type Sample, toTable } from './report.ts'
import { isCpu, measureStart, ROWS, type Row, START_FIGURES, type Window } from './rows.ts'
import { type Bench, openBench, type Target, type TargetName } from './targets.ts'

type Plan = {
  readonly rounds: number
  /** Rounds that are not counted, until compiled code has settled. */
  readonly warmUpRounds: number
  readonly starts: number
  readonly durationMs: number
  readonly short: boolean
  /** Figures of CPU time alone. */
  readonly cpu: boolean
}

const FULL: Plan = { rounds: 7, warmUpRounds: 2, starts: 5, durationMs: 2000, short: false, cpu: false }
const SHORT: Plan = { rounds: 2, warmUpRounds: 1, starts: 1, durationMs: 400, short: true, cpu: false }
const CPU: Plan = { rounds: 40, warmUpRounds: 20, starts: 15, durationMs: 250, short: true, cpu: true }

const option = (name: string) =>
  process.argv.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3) ?? null

function planFromArguments(): Plan {
  const plan = process.argv.includes('--cpu') ? CPU : process.argv.includes('--short') ? SHORT : FULL
  const rounds = Number(option('rounds') ?? plan.rounds)
  return { ...plan, rounds: Number.isInteger(rounds) && rounds > 0 ? rounds : plan.rounds }
}

type Sides = readonly [floor: TargetName, server: TargetName]

/** The floor may stand in for the server, to see what the harness itself makes of equals. */
function sidesOf(row: Pick<Row, 'floor'>): Sides {
  const floor = option('beside') === null ? row.floor : 'beside'
  return [floor, option('against') === 'floor' ? row.floor : 'antiphon']
}

const isPartOf = (row: Row, plan: Plan) => !(plan.short && row.long === true) && (!plan.cpu || row.figures.some(isCpu))

async function main(): Promise<void> {
  const plan = planFromArguments()
  const only = option('only') ?? ''
  const bench = await openBench(option('beside'))
  try {
    const measured: Measured[] = []
    for (const row of ROWS.filter((it) => it.name.includes(only) && isPartOf(it, plan))) {
      measured.push(...(await measureRow(bench, row, plan)))
      console.error(`measured: ${row.name}`)
    }
    if ('start'.includes(only)) measured.push(...(await measureStarts(bench, plan)))
    const shown = measured.filter(({ figure }) => !plan.cpu || isCpu(figure))
    console.log(`${describeMachine(bench, plan)}\n\n${toTable(shown, plan.cpu ? LOWER_QUARTILE : MEDIAN)}`)
  } finally {
    await bench.close()
  }
}

async function measureRow(bench: Bench, row: Row, plan: Plan): Promise<Measured[]> {
  const [floorName, serverName] = sidesOf(row)
  const targets = [await bench.start(floorName), await bench.start(serverName)]
  try {
    const window: Window = { durationMs: plan.durationMs, short: plan.short, upstreamPort: bench.upstreamPort }
    const samples: Sample[][] = row.figures.map(() => [])
    const rounds = Math.min(plan.rounds, row.maxRounds ?? plan.rounds)
    for (let round = -Math.min(plan.warmUpRounds, rounds); round < rounds; round += 1) {
      const [floor = [], ours = []] = await measureBoth(targets, (target) => row.measure(target, window), round)
      if (round >= 0) addSamples(samples, floor, ours)
    }
    return row.figures.map((figure, i) => ({ row: row.name, figure, samples: samples[i] ?? [] }))
  } finally {
    await Promise.all(targets.map((target) => target.stop()))
  }
}

/** One sample per figure; `samples`, `floor` and `ours` are in the order of the figures. */
function addSamples(samples: readonly Sample[][], floor: readonly number[], ours: readonly number[]): void {
  for (const [i, list] of samples.entries()) list.push({ floor: floor[i] ?? Number.NaN, server: ours[i] ?? Number.NaN })
}

/** One after the other, the order turned every round; results in the order of `targets`. */
async function measureBoth(
  targets: readonly Target[],
  measure: (target: Target) => Promise<number[]>,
  round: number,
): Promise<number[][]> {
  const results = new Map<Target, number[]>()
  for (const target of round % 2 === 0 ? targets : targets.toReversed()) results.set(target, await measure(target))
  return targets.map((target) => results.get(target) ?? [])
}

async function measureStarts(bench: Bench, plan: Plan): Promise<Measured[]> {
  const [floorName, serverName] = sidesOf({ floor: 'floor' })
  const samples: Sample[][] = START_FIGURES.map(() => [])
  for (let round = -1; round < plan.starts; round += 1) {
    const [floor, ours] = [await startOnce(bench, floorName), await startOnce(bench, serverName)]
    if (round >= 0) addSamples(samples, floor, ours)
  }
  return START_FIGURES.map((figure, i) => ({ row: 'start', figure, samples: samples[i] ?? [] }))
}

async function startOnce(bench: Bench, name: TargetName): Promise<number[]> {
  const target = await bench.start(name)
  try {
    return await measureStart(target)
  } finally {
    await target.stop()
  }
}

function describeMachine(bench: Bench, plan: Plan): string {
  const cores = bench.pinned ? 'server and load on a core each' : 'NOT pinned to cores: figures are rough'
  const model = cpus()[0]?.model.trim() ?? 'unknown processor'
  return `Node ${process.versions.node}, ${model}, ${cores}, ${plan.rounds} rounds of ${plan.durationMs} ms.`
}

await main()
