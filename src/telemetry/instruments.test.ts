import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { createInstruments } from './instruments.ts'

test('the text is what the common Prometheus client writes', async () => {
  const ours = createInstruments()
  const registry = new Registry()
  const registers = [registry]
  const labelNames = ['route', 'status'] as const

  const counter = ours.counter('requests_total', 'Requests, "all"\nof them \\.', ...labelNames)
  const theirCounter = new Counter({
    name: 'requests_total',
    help: 'Requests, "all"\nof them \\.',
    labelNames,
    registers,
  })
  for (const [route, status, by] of [
    ['/a', '200', 1],
    ['/b"\\\n', '500', 2.5],
    ['/a', '200', 1],
  ] as const) {
    counter.inc([route, status], by)
    theirCounter.inc({ route, status }, by)
  }
  const gauge = ours.gauge('open', 'Open ones.')
  const theirGauge = new Gauge({ name: 'open', help: 'Open ones.', registers })
  gauge.add([], 3)
  gauge.add([], -1)
  theirGauge.set(2)
  const bounds = [0.1, 1, 10]
  const histogram = ours.histogram('seconds', 'Time.', bounds, 'model')
  const theirHistogram = new Histogram({
    name: 'seconds',
    help: 'Time.',
    buckets: bounds,
    labelNames: ['model'],
    registers,
  })
  for (const value of [0.05, 0.1, 0.5, 10, 11]) {
    histogram.observe(['m'], value)
    theirHistogram.observe({ model: 'm' }, value)
  }
  ours.histogram('idle_seconds', 'Nothing yet.', bounds)
  new Histogram({ name: 'idle_seconds', help: 'Nothing yet.', buckets: bounds, registers })
  assert.equal(ours.render(), await registry.metrics())
})
