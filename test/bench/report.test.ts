import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { cpuMicros, residentKib } from '../../bench/process-cost.ts'
import { isReached, LOWER_QUARTILE, MEDIAN, type Measured, toTable } from '../../bench/report.ts'

const measured: Measured = {
  row: 'plain',
  figure: { name: 'CPU', unit: 'us/req', goal: { of: 'ratio', atMost: 2 } },
  samples: [
    { floor: 100, server: 150 },
    { floor: 10, server: 30 },
    { floor: 1000, server: 1600 },
  ],
}

describe('the table of the benchmark', () => {
  test('shows the median of the rounds’ ratios, not the ratio of medians', () => {
    assert.equal(MEDIAN.ratio(measured.samples), 1.6)
    assert.match(
      toTable([measured]),
      /\| plain \| CPU, us\/req \| 100 \| 150 \| 1\.60 \| at most 2 x floor \| reached \|/,
    )
  })

  test('sets what each side costs when it is left alone beside each other, whichever rounds those were', () => {
    const floor = [10, 50, 11, 12, 13, 14, 15, 90]
    const server = [80, 20, 22, 21, 23, 24, 70, 25]
    const samples = floor.map((it, i) => ({ floor: it, server: server[i] ?? 0 }))
    assert.equal(LOWER_QUARTILE.of(floor), 12)
    assert.equal(LOWER_QUARTILE.ratio(samples), 22 / 12)
  })

  test('holds ratios and absolute values to their goals', () => {
    assert.equal(isReached({ of: 'ratio', atMost: 2 }, 2.01, 0), false)
    assert.equal(isReached({ of: 'ratio', atLeast: 0.8 }, 0.8, 0), true)
    assert.equal(isReached({ of: 'value', atMost: 110 }, 9, 110), true)
    assert.equal(isReached({ of: 'value', atMost: 110 }, 1, 111), false)
  })
})

test('the cost of a process grows when it works, and is found for its whole tree', {
  skip: process.platform === 'linux' ? false : 'only Linux has /proc',
}, () => {
  const before = cpuMicros(process.pid)
  const until = performance.now() + 50
  while (performance.now() < until);
  assert.ok(cpuMicros(process.pid) - before > 10_000)
  assert.ok(residentKib(process.pid) > 20_000)
})
