import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../lib/clock.ts'
import { createCountingIds } from '../lib/ids.ts'
import type { ModelAttempt } from '../models/model.ts'
import { noPrices, type PriceBook } from '../models/price-book.ts'
import { flatRate, type PriceSheet } from '../protocol/cost.ts'
import { NO_USAGE, plainUsage } from '../protocol/usage.ts'
import type { UsageRow } from '../store/store.ts'
import { silentTelemetry } from '../telemetry/telemetry.ts'
import type { OpenCall } from './open-calls.ts'
import { createUsageLedger, textChars } from './usage-ledger.ts'

const CALL = { provider: 'openai', model: 'gpt' }
const attempt = (change: Partial<ModelAttempt> = {}): ModelAttempt => ({
  ...CALL,
  outcome: 'completed',
  usage: plainUsage(1_000_000, 100_000),
  status: 200,
  durationMs: 5,
  firstEventMs: 1,
  upstreamRequestId: null,
  ...change,
})
const SHEET: PriceSheet = {
  input: flatRate(2),
  cachedInput: null,
  cacheWrite: null,
  output: flatRate(10),
  perCall: 0,
  source: 'configuration',
}
const never = () => {
  throw new Error('nothing had to be estimated')
}

function openLedger(prices: PriceBook) {
  const running: OpenCall[] = []
  const openCalls = {
    add(call: OpenCall) {
      running.push(call)
      return () => void running.splice(running.indexOf(call), 1)
    },
  }
  const failures: unknown[] = []
  const priced: (number | null)[] = []
  const telemetry = {
    ...silentTelemetry,
    failed: ({ error }: { error: unknown }) => failures.push(error),
    callPriced: ({ costUsd }: { costUsd: number | null }) => priced.push(costUsd),
  }
  const ledger = createUsageLedger(
    { ids: createCountingIds(), clock: systemClock, prices, telemetry, openCalls },
    {
      store: { projectId: 'proj_a', openUsage: async () => {} },
      responseId: 'resp_1',
      keyId: 'key_1',
      requestId: 'req_1',
      estimateInput: () => plainUsage(7, 0),
    },
  )
  return { ledger, running, failures, priced }
}

test('a row is opened before the call with what is known, and closed by the same id', async () => {
  const { ledger, running, priced } = openLedger({ priceOf: () => SHEET })
  ledger.start(CALL)
  const opened: UsageRow | undefined = running[0]?.row()
  assert.equal(opened?.outcome, 'running')
  assert.equal(opened.estimated, true)
  assert.deepEqual(opened.usage, plainUsage(7, 0))
  assert.equal(opened.cost?.usd, (7 * 2) / 1e6)
  ledger.add(attempt())
  assert.deepEqual(running, [], 'a call that has ended needs no open row')
  assert.equal(ledger.costUsd(), null, 'nothing is known before the rows are closed')
  const [row, ...more] = await ledger.close(never)
  assert.deepEqual(more, [])
  assert.equal(row?.id, opened.id)
  assert.equal(row.outcome, 'completed')
  assert.equal(row.cost?.usd, 3)
  assert.equal(ledger.costUsd(), 3)
  assert.deepEqual(priced, [3])
})

test('every call of a run has a row: refused, retried, left', async () => {
  const { ledger } = openLedger({ priceOf: () => SHEET })
  ledger.start(CALL)
  ledger.add(attempt({ outcome: 'failed', usage: null, firstEventMs: null, status: 503 }))
  ledger.start({ ...CALL, provider: 'azure' })
  ledger.add(attempt({ provider: 'azure', outcome: 'aborted', usage: null }))
  const rows = await ledger.close(() => plainUsage(1_000_000, 0))
  assert.deepEqual(
    rows.map(({ provider, outcome, estimated, usage, cost }) => [provider, outcome, estimated, usage, cost?.usd]),
    [
      ['openai', 'failed', false, NO_USAGE, 0],
      ['azure', 'aborted', true, plainUsage(1_000_000, 0), 2],
    ],
  )
  assert.equal(new Set(rows.map(({ id }) => id)).size, 2)
  assert.equal(ledger.costUsd(), 2)
})

test('one call of unknown price makes the cost of the run unknown, never smaller', async () => {
  const { ledger } = openLedger({ priceOf: (provider) => (provider === 'openai' ? SHEET : null) })
  for (const provider of ['openai', 'gpu']) {
    ledger.start({ ...CALL, provider })
    ledger.add(attempt({ provider }))
  }
  const rows = await ledger.close(never)
  assert.deepEqual(
    rows.map(({ cost }) => cost?.usd ?? null),
    [3, null],
  )
  assert.equal(ledger.costUsd(), null)
})

test('a price list that is still being loaded is waited for, and one that cannot be loaded is reported', async () => {
  const late = openLedger({ priceOf: async () => SHEET })
  late.ledger.start(CALL)
  assert.equal(late.running[0]?.row().cost, null)
  late.ledger.add(attempt())
  await late.ledger.close(never)
  assert.equal(late.ledger.costUsd(), 3)

  const broken = openLedger({ priceOf: () => Promise.reject(new Error('no such package')) })
  broken.ledger.start(CALL)
  broken.ledger.add(attempt())
  const [row] = await broken.ledger.close(never)
  assert.equal(row?.cost, null)
  assert.equal(broken.failures.length, 1)
})

test('an adapter that told of no beginning still leaves its row', async () => {
  const { ledger } = openLedger(noPrices)
  ledger.add(attempt())
  assert.equal((await ledger.close(never)).length, 1)
})

test('the characters of a value are those of its texts', () => {
  assert.equal(textChars([{ type: 'ab', content: ['cde', null, 7, { text: 'f' }] }]), 6)
})
