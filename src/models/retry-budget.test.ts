import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createManualClock } from '../../test/support/decorated-models.ts'
import { BUDGET_WINDOW_MS, createRetryBudget, MIN_RETRIES } from './retry-budget.ts'

const takeAll = (take: () => boolean) => {
  let taken = 0
  while (take()) taken += 1
  return taken
}

it('a quiet server has a few retries, a busy one a tenth of its calls', () => {
  const budget = createRetryBudget({ clock: createManualClock() })
  assert.equal(takeAll(budget.take), MIN_RETRIES)
  for (let index = 0; index < 200; index += 1) budget.recordRequest()
  assert.equal(takeAll(budget.take), 20 - MIN_RETRIES)
})

it('calls and retries are forgotten after a minute, not all at once', () => {
  const clock = createManualClock()
  const budget = createRetryBudget({ clock })
  for (let index = 0; index < 100; index += 1) budget.recordRequest()
  clock.advance(BUDGET_WINDOW_MS / 2)
  assert.equal(takeAll(budget.take), 10)
  clock.advance(BUDGET_WINDOW_MS / 2)
  assert.equal(takeAll(budget.take), 0)
  clock.advance(BUDGET_WINDOW_MS / 2)
  assert.equal(takeAll(budget.take), MIN_RETRIES)
})
