import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openEngine, readAll } from '../../test/support/engine-fixture.ts'
import { finish, scriptedModel } from '../../test/support/scripted-model.ts'
import type { MessageStart, ModelEvent } from '../models/model.ts'
import { isTerminal } from './run-event.ts'

const said = (id: string, delta: string, message?: MessageStart): ModelEvent[] => [
  { type: 'text-start', id, ...(message && { message }) },
  { type: 'text-delta', id, delta },
  { type: 'text-end', id },
]

test('a message keeps the phase its provider gave it, and begins where the provider began one', async () => {
  const events = [
    ...said('a', 'Looking.', { phase: 'commentary' }),
    ...said('b', ' Still looking.'),
    ...said('c', 'Found.', { phase: 'final_answer' }),
    ...said('d', 'Again.', { phase: null }),
    finish(),
  ]
  const { engine, caller, close } = await openEngine(scriptedModel([{ batches: [events] }]))
  try {
    const run = await engine.createResponse({ model: 'm', input: 'hi' }, caller())
    const last = (await readAll(run.events)).at(-1)
    assert.ok(last && isTerminal(last))
    const shown = last.response.output.map((item) =>
      item.type === 'message' ? [item.phase, item.content.map((part) => 'text' in part && part.text)] : item.type,
    )
    assert.deepEqual(shown, [
      ['commentary', ['Looking.', ' Still looking.']],
      ['final_answer', ['Found.']],
      [undefined, ['Again.']],
    ])
  } finally {
    await close()
  }
})
