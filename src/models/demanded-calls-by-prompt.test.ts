import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  callBlock,
  collect,
  createScriptedModel,
  finish,
  type Script,
  textBlock,
  usage,
} from '../../test/support/decorated-models.ts'
import { createCountingIds } from '../lib/ids.ts'
import { demandedCallsByPrompt } from './demanded-calls-by-prompt.ts'
import { ModelError, type ModelTurn } from './model.ts'
import { assertModelEvents } from './model-run.contract.ts'
import { PLAIN_TURN } from './plain-turn.ts'

const demanding: ModelTurn = { ...PLAIN_TURN, toolChoice: { mode: 'required', allowed: ['f'] } }
const calls: Script = [callBlock('c', 'f', '{', '}'), [finish('tool_calls', usage(10, 2))]]
const talks = (...deltas: readonly string[]): Script => [textBlock('t', ...deltas), [finish('stop', usage(10, 2))]]

async function run(scripts: readonly Script[], turn = demanding) {
  const inner = createScriptedModel(scripts)
  const unforced = {
    ...inner,
    fields: { tool_choice: 'refused' } as const,
    notCarried: ({ toolChoice }: ModelTurn) =>
      toolChoice.mode === 'required' ? [{ param: 'tool_choice', weight: 'meaning' } as const] : [],
  }
  const model = demandedCallsByPrompt(unforced, { ids: createCountingIds() })
  return { inner, model, ...(await collect(model, turn)) }
}
const lastWords = (turn: ModelTurn | undefined) =>
  turn?.items
    .slice(PLAIN_TURN.items.length)
    .map((item) =>
      item.type === 'message'
        ? `${item.role}: ${item.content.map((part) => ('text' in part ? part.text : '')).join()}`
        : item.type,
    )

describe('a demanded call of a model that cannot be forced', () => {
  it('is asked for in the last word, and streams from the call on', async () => {
    const { inner, events, model } = await run([calls])
    assertModelEvents(events)
    assert.equal(events.filter(({ type }) => type === 'call-delta').length, 2)
    assert.deepEqual(inner.calls[0]?.toolChoice, { mode: 'auto', allowed: ['f'] })
    assert.deepEqual(lastWords(inner.calls[0]), ['developer: Answer with a call of `f`, without any text before it.'])
    assert.equal(model.fields.tool_choice, 'emulated')
    assert.deepEqual(model.notCarried?.(demanding), [])
  })

  it('keeps what was said before the call', async () => {
    const { events } = await run([[textBlock('t', 'Well.'), ...calls]])
    assertModelEvents(events)
    assert.deepEqual(
      events.slice(0, 4).map(({ type }) => type),
      ['text-start', 'text-delta', 'text-end', 'call-start'],
    )
  })

  it('gets one reminder, and both tries are counted', async () => {
    const { inner, events } = await run([talks('I would ', 'rather not.'), calls])
    assertModelEvents(events)
    assert.deepEqual(events[0]?.type, 'call-start')
    assert.deepEqual(lastWords(inner.calls[1])?.slice(0, 2), [
      'assistant: I would rather not.',
      'user: That was no tool call.',
    ])
    const last = events.at(-1)
    assert.ok(last?.type === 'finish' && last.usage?.input_tokens === 20 && last.usage.output_tokens === 4)
  })

  it('is a failure when the reminder did not help, and nothing was said before', async () => {
    const { events, error } = await run([talks('No.'), talks('')])
    assert.deepEqual(events, [])
    assert.ok(error instanceof ModelError && error.kind === 'malformed')
  })

  for (const reason of ['length', 'content_filter'] as const) {
    it(`is excused by an answer that ended with ${reason}`, async () => {
      const { inner, events } = await run([[textBlock('t', 'a'), [finish(reason)]]])
      assertModelEvents(events)
      assert.equal(inner.calls.length, 1)
    })
  }

  it('a failure of the model stays what it is', async () => {
    const fault = new ModelError('rate_limit', 'slow')
    const { error } = await run([[fault]])
    assert.equal(error, fault)
  })

  it('other choices pass as they are', async () => {
    const { inner, events } = await run([talks('Hi')], PLAIN_TURN)
    assert.equal(events.length, 4)
    assert.deepEqual(inner.calls[0], PLAIN_TURN)
  })
})
