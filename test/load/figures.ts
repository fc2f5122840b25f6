/** Figures of a load test: quantiles, a slope, and one line that says them. */
import type { TestContext } from 'node:test'

/** `share` in [0, 1]; 0 of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

/** Units of y per unit of x, by least squares. */
export function slope(points: readonly { readonly x: number; readonly y: number }[]): number {
  const mean = (of: 'x' | 'y') => points.reduce((sum, point) => sum + point[of], 0) / points.length
  const [x, y] = [mean('x'), mean('y')]
  const shared = points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0)
  return shared / points.reduce((sum, point) => sum + (point.x - x) ** 2, 0)
}

const rounded = (value: number | string) => (typeof value === 'number' ? Math.round(value * 100) / 100 : value)

/** One line, in the report of the tests and on the output, marked as a table's, where some runners show only one. */
export function printFigures(
  t: Pick<TestContext, 'diagnostic'>,
  name: string,
  figures: Readonly<Record<string, number | string>>,
): void {
  const line = `${name}: ${Object.entries(figures)
    .map(([key, value]) => `${key} ${rounded(value)}`)
    .join(', ')}`
  t.diagnostic(line)
  console.log(`| ${line}`)
}
