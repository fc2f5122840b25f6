/** Samples of a run, and the table made of them: medians of what rounds gave, and of their ratios. */
import { median } from './load.ts'
import type { Figure, Goal } from './rows.ts'

/** Per round, one number for each side; both were measured one after the other. */
export type Sample = { readonly floor: number; readonly server: number }
export type Measured = { readonly row: string; readonly figure: Figure; readonly samples: readonly Sample[] }

const HEADER = ['measure', 'figure', 'floor', 'antiphon', 'ratio', 'target', '']

export function toTable(all: readonly Measured[]): string {
  const lines = all.map(toLine)
  return [HEADER, HEADER.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

export const ratioOf = (measured: Measured): number =>
  median(measured.samples.map(({ floor, server }) => server / floor))

function toLine(measured: Measured): string[] {
  const { row, figure, samples } = measured
  const server = median(samples.map((it) => it.server))
  const ratio = ratioOf(measured)
  const { goal } = figure
  return [
    row,
    `${figure.name}, ${figure.unit}`,
    format(median(samples.map((it) => it.floor))),
    format(server),
    ratio.toFixed(2),
    goal === null ? '' : describeGoal(goal),
    goal === null ? '' : isReached(goal, ratio, server) ? 'reached' : 'missed',
  ]
}

export function isReached(goal: Goal, ratio: number, value: number): boolean {
  const measured = goal.of === 'ratio' ? ratio : value
  return measured <= (goal.atMost ?? Number.POSITIVE_INFINITY) && measured >= (goal.atLeast ?? Number.NEGATIVE_INFINITY)
}

function describeGoal(goal: Goal): string {
  const bound = goal.atMost === undefined ? `at least ${goal.atLeast}` : `at most ${goal.atMost}`
  return goal.of === 'ratio' ? `${bound} x floor` : bound
}

const format = (value: number): string =>
  Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(1)
