import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '../../test/support/decorated-models.ts'
import { createDeploymentLimits, roughTokens } from './deployment-limits.ts'
import type { TurnItem } from './model.ts'
import { PLAIN_TURN } from './plain-turn.ts'

test('requests have room again as they leave the last minute, one by one', () => {
  const clock = createManualClock()
  const limits = createDeploymentLimits({ rpm: 2, tpm: null }, clock)
  limits.take(0)
  clock.advance(30_000)
  limits.take(0)
  assert.ok(limits.waitMs(0) > 29_000 && limits.waitMs(0) <= 31_000, String(limits.waitMs(0)))
  clock.advance(31_000)
  assert.equal(limits.waitMs(0), 0)
  limits.take(0)
  assert.ok(limits.waitMs(0) > 0)
})

test('tokens count as believed, then as they were', () => {
  const limits = createDeploymentLimits({ rpm: null, tpm: 1000 }, createManualClock())
  const call = limits.take(900)
  assert.ok(limits.waitMs(200) > 0)
  call.settle(100)
  assert.equal(limits.waitMs(900), 0)
  assert.ok(limits.waitMs(901) > 0)
  call.settle(1000)
  assert.ok(limits.waitMs(1) > 0)
})

test('a turn over the limit goes through when nothing else does', () => {
  const clock = createManualClock()
  const limits = createDeploymentLimits({ rpm: null, tpm: 10 }, clock)
  assert.equal(limits.waitMs(5000), 0)
  limits.take(5000)
  assert.ok(limits.waitMs(5000) > 59_000)
  clock.advance(61_000)
  assert.equal(limits.waitMs(5000), 0)
})

test('a turn is guessed by its texts, and media flat', () => {
  const text = 'word '.repeat(80)
  const content = [
    { type: 'input_text', text },
    { type: 'input_image', image_url: `data:image/png;base64,${'A'.repeat(100_000)}`, detail: 'auto' },
  ] as const
  const message = {
    id: 'msg_1',
    type: 'message',
    status: 'completed',
    role: 'user',
    content: [...content],
  } satisfies TurnItem
  const call = {
    id: 'fc_1',
    type: 'function_call',
    status: 'completed',
    call_id: 'c',
    name: 'f',
    arguments: text,
  } as const
  const output = { id: 'fco_1', type: 'function_call_output', status: 'completed', call_id: 'c', output: text } as const
  assert.equal(roughTokens({ ...PLAIN_TURN, instructions: text, items: [message, call, output] }), 400 + 765)
})
