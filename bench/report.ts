/** Samples of a run, and the table made of them: medians of what rounds gave, and of their ratios. */
import { median, quantile } from './load.ts'
import type { Figure, Goal } from './rows.ts'

/** Per round, one number for each side; both were measured one after the other. */
export type Sample = { readonly floor: number; readonly server: number }
export type Measured = { readonly row: string; readonly figure: Figure; readonly samples: readonly Sample[] }

const HEADER = ['measure', 'figure', 'floor', 'antiphon', 'ratio', 'target', '']

/** How a side's rounds and the rounds' ratios become one figure each. */
export type Summary = { of(values: readonly number[]): number; ratio(samples: readonly Sample[]): number }

export const MEDIAN: Summary = {
  of: median,
  ratio: (samples) => median(samples.map(({ floor, server }) => server / floor)),
}

/** For CPU time, to which disturbances can only add. The rounds that were left alone are not the same on both sides. */
export const LOWER_QUARTILE: Summary = {
  of: (values) =>
    quantile(
      values.toSorted((a, b) => a - b),
      0.25,
    ),
  ratio: (samples) =>
    LOWER_QUARTILE.of(samples.map(({ server }) => server)) / LOWER_QUARTILE.of(samples.map(({ floor }) => floor)),
}

export function toTable(all: readonly Measured[], summary: Summary = MEDIAN): string {
  const lines = all.map((measured) => toLine(measured, summary))
  return [HEADER, HEADER.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function toLine({ row, figure, samples }: Measured, summary: Summary): string[] {
  const server = summary.of(samples.map((it) => it.server))
  const ratio = summary.ratio(samples)
  const { goal } = figure
  return [
    row,
    `${figure.name}, ${figure.unit}`,
    format(summary.of(samples.map((it) => it.floor))),
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
