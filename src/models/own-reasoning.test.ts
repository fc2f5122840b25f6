import assert from 'node:assert/strict'
import { test } from 'node:test'
import { collect, createScriptedModel, finish } from '../../test/support/decorated-models.ts'
import type { TurnItem } from './model.ts'
import { newestOrigin, ownReasoning } from './own-reasoning.ts'
import { PLAIN_TURN } from './plain-turn.ts'
import { markState, readState } from './reasoning-origin.ts'

const thought = (id: string, encrypted_content?: string): TurnItem => ({
  id,
  type: 'reasoning',
  summary: [{ type: 'summary_text', text: 'I thought.' }],
  ...(encrypted_content === undefined ? {} : { encrypted_content }),
})

test('a deployment sees the states of its own provider, and of others the readable text', async () => {
  const inner = createScriptedModel([[[finish()]]])
  const items = [
    thought('rs_1', markState('openai', 'sealed\nover lines')),
    thought('rs_2', markState('anthropic', 'signature')),
    thought('rs_3', 'unmarked'),
    thought('rs_4'),
  ]
  await collect(ownReasoning(inner, 'openai'), { ...PLAIN_TURN, items })
  assert.deepEqual(inner.calls[0]?.items, [
    thought('rs_1', 'sealed\nover lines'),
    thought('rs_2'),
    thought('rs_3', 'unmarked'),
    thought('rs_4'),
  ])
})

test('the newest state says where a turn came from', () => {
  const items = [thought('rs_1', markState('a', 'x')), thought('rs_2', markState('b', 'y')), thought('rs_3', 'z')]
  assert.equal(newestOrigin({ ...PLAIN_TURN, items }), 'b')
  assert.equal(newestOrigin(PLAIN_TURN), null)
})

test('a mark is read as it was written, and what is no mark is a state', () => {
  for (const state of ['', 'x', '\n', 'origin:a\nb']) {
    assert.deepEqual(readState(markState('p', state)), { provider: 'p', state })
  }
  assert.deepEqual(readState('origin:without an end'), { provider: null, state: 'origin:without an end' })
})
