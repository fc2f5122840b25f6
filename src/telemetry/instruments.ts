/**
 * Counters, gauges and histograms in the text format of Prometheus.
 *
 * A dozen of them move with every request, so a series is found by one look into a map and counted by one addition;
 * what costs time is left to the reader. How many series there are is bounded by who chooses the labels (metrics.ts).
 */

/** `labels`: one value for each label name, in their order. */
export interface Counter {
  inc(labels: readonly string[], by?: number): void
}
export interface Gauge {
  set(labels: readonly string[], value: number): void
  add(labels: readonly string[], by: number): void
}
export interface Histogram {
  observe(labels: readonly string[], value: number): void
}

export interface Instruments {
  counter(name: string, help: string, ...labelNames: readonly string[]): Counter
  gauge(name: string, help: string, ...labelNames: readonly string[]): Gauge
  /** `bounds`: the upper ones, ascending; the last bucket has none. */
  histogram(name: string, help: string, bounds: readonly number[], ...labelNames: readonly string[]): Histogram
  render(): string
}

export function createInstruments(): Instruments {
  const renderers: (() => string)[] = []
  const numbers = (kind: 'counter' | 'gauge', name: string, help: string, labelNames: readonly string[]) => {
    const series = createSeries(labelNames, () => ({ value: 0 }))
    // A number without labels is there from the start, so that nobody takes zero for a gap.
    if (labelNames.length === 0) series.of([])
    renderers.push(() => describe(kind, name, help) + series.lines((labels, { value }) => line(name, labels, value)))
    return series
  }
  return {
    counter(name, help, ...labelNames) {
      const series = numbers('counter', name, help, labelNames)
      return {
        inc(labels, by = 1) {
          series.of(labels).value += by
        },
      }
    },
    gauge(name, help, ...labelNames) {
      const series = numbers('gauge', name, help, labelNames)
      return {
        set(labels, value) {
          series.of(labels).value = value
        },
        add(labels, by) {
          series.of(labels).value += by
        },
      }
    },
    histogram(name, help, bounds, ...labelNames) {
      const series = createSeries(labelNames, () => ({ counts: bounds.map(() => 0), count: 0, sum: 0 }))
      if (labelNames.length === 0) series.of([])
      renderers.push(() => {
        const text = series.lines((labels, buckets) => bucketLines(name, labels, bounds, buckets))
        return describe('histogram', name, help) + text
      })
      return {
        observe(labels, value) {
          const buckets = series.of(labels)
          const index = bounds.findIndex((bound) => value <= bound)
          if (index !== -1) buckets.counts[index] = (buckets.counts[index] ?? 0) + 1
          buckets.count += 1
          buckets.sum += value
        },
      }
    },
    render: () => renderers.map((render) => render()).join('\n'),
  }
}

/** `labels`: as in the text, without the braces; empty when there are none. */
function createSeries<T>(labelNames: readonly string[], create: () => T) {
  const known = new Map<string, { readonly labels: string; readonly state: T }>()
  return {
    of(values: readonly string[]): T {
      const key = values.length === 1 ? (values[0] ?? '') : values.join('\n')
      const found = known.get(key)
      if (found !== undefined) return found.state
      const labels = labelNames.map((name, index) => `${name}="${escapeValue(values[index] ?? '')}"`).join(',')
      const state = create()
      known.set(key, { labels, state })
      return state
    },
    lines: (show: (labels: string, state: T) => string) =>
      [...known.values()].map(({ labels, state }) => show(labels, state)).join(''),
  }
}

const describe = (kind: string, name: string, help: string) =>
  `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${kind}\n`

const line = (name: string, labels: string, value: number) => `${name}${labels === '' ? '' : `{${labels}}`} ${value}\n`

type Buckets = { readonly counts: readonly number[]; readonly count: number; readonly sum: number }

function bucketLines(name: string, labels: string, bounds: readonly number[], { counts, count, sum }: Buckets): string {
  const bucket = (bound: string, value: number) =>
    line(`${name}_bucket`, labels === '' ? `le="${bound}"` : `le="${bound}",${labels}`, value)
  let upTo = 0
  const lines = bounds.map((bound, index) => {
    upTo += counts[index] ?? 0
    return bucket(String(bound), upTo)
  })
  return `${lines.join('')}${bucket('+Inf', count)}${line(`${name}_sum`, labels, sum)}${line(`${name}_count`, labels, count)}`
}

const escapeValue = (value: string) => value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
