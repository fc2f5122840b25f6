import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  callBlock,
  collect,
  createScriptedModel,
  finish,
  type Script,
  textBlock,
  usage,
} from '../../test/support/decorated-models.ts'
import type { ModelEvent } from './model.ts'
import { PLAIN_TURN } from './plain-turn.ts'
import { stopSequences } from './stop-sequences.ts'

async function run(script: Script, stop: readonly string[]) {
  const inner = createScriptedModel([script])
  return { inner, ...(await collect(stopSequences(inner), { ...PLAIN_TURN, stop })) }
}
const textOf = (events: readonly ModelEvent[]) =>
  events.flatMap((event) => (event.type === 'text-delta' ? [event.delta] : [])).join('')
const CUT: ModelEvent = { type: 'finish', reason: 'stop', rawReason: 'stop_sequence', usage: null }

describe('stop sequences', () => {
  it('are kept from the provider', async () => {
    const { inner } = await run([textBlock('t', 'x'), [finish()]], ['END'])
    assert.equal(inner.calls[0]?.stop, null)
  })

  it('cut the text exactly in front of the first one, wherever the pieces are cut', async () => {
    for (const [deltas, stop, expected] of [
      [['one END two'], ['END'], 'one '],
      [['one E', 'N', 'D two'], ['END'], 'one '],
      [['EN', 'EN', 'D'], ['END'], 'EN'],
      [['ab', 'c'], ['abcd', 'bc'], 'a'],
      [['END'], ['END'], ''],
      [['never'], ['END'], 'never'],
      [['almost EN'], ['END'], 'almost EN'],
      [['a\n', '\nb'], ['\n\n'], 'a'],
      [['x', '😀', 'y'], ['😀'], 'x'],
    ] as const) {
      const { events, error } = await run([textBlock('t', ...deltas), [finish()]], stop)
      assert.equal(error, null)
      assert.equal(textOf(events), expected, JSON.stringify(deltas))
      const isCut = expected !== deltas.join('')
      assert.deepEqual(events.slice(-2), [{ type: 'text-end', id: 't' }, isCut ? CUT : finish()])
    }
  })

  it('give the same text for every way to cut it, and never half a character', async () => {
    const pieces = fc.array(fc.constantFrom('a', 'b', 'ab', '😀', '\ud83d\ude01'), { maxLength: 12 })
    const sequences = fc.array(fc.constantFrom('ab', 'ba', 'aab', '😁', 'b😀'), { minLength: 1, maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(pieces, sequences, async (deltas, stop) => {
        const whole = deltas.join('')
        const ends = stop.map((sequence) => whole.indexOf(sequence)).filter((at) => at !== -1)
        const { events } = await run([textBlock('t', ...deltas), [finish()]], stop)
        assert.equal(textOf(events), ends.length === 0 ? whole : whole.slice(0, Math.min(...ends)))
        for (const event of events) if (event.type === 'text-delta') assert.ok(event.delta.isWellFormed())
      }),
    )
  })

  it('leave reasoning and calls alone, and end what is open where the text is cut', async () => {
    const script: Script = [
      [{ type: 'reasoning-start', id: 'r' }],
      [{ type: 'reasoning-delta', id: 'r', kind: 'text', part: 0, delta: 'END' }],
      [{ type: 'reasoning-end', id: 'r' }],
      callBlock('c', 'f', '"END"'),
      [{ type: 'call-start', id: 'd', kind: 'function', name: 'f', callId: null }],
      [{ type: 'text-start', id: 't' }],
      [{ type: 'text-delta', id: 't', delta: 'x END y' }],
      [{ type: 'text-end', id: 't' }],
    ]
    const { events, inner } = await run(script, ['END'])
    assert.deepEqual(events.slice(-4), [
      { type: 'text-delta', id: 't', delta: 'x ' },
      { type: 'call-end', id: 'd' },
      { type: 'text-end', id: 't' },
      CUT,
    ])
    assert.equal(inner.left(), 1, 'the provider is not read on')
  })

  it('wait for a tool that is at work where the model is, and show nothing else meanwhile', async () => {
    const item = { type: 'web_search_call', status: 'completed', action: { type: 'search', query: 'x' } } as const
    const script: Script = [
      [{ type: 'hosted-start', id: 'h', item: { ...item, status: 'in_progress' } }],
      textBlock('t', 'x END y'),
      textBlock('u', 'never shown'),
      [{ type: 'hosted-end', id: 'h', item }],
      textBlock('v', 'nor this'),
    ]
    const { events } = await run(script, ['END'])
    assert.deepEqual(
      events.map(({ type }) => type),
      ['hosted-start', 'text-start', 'text-delta', 'text-end', 'hosted-end', 'finish'],
    )
  })

  it('keep the log probabilities of what is shown', async () => {
    const logprob = (token: string) => ({ token, logprob: -1, bytes: [], top_logprobs: [] })
    const script: Script = [
      [{ type: 'text-start', id: 't' }],
      [{ type: 'text-delta', id: 't', delta: 'oneEND', logprobs: [logprob('one'), logprob('END')] }],
      [{ type: 'text-end', id: 't' }, finish('stop', usage(1, 1))],
    ]
    const { events } = await run(script, ['END'])
    const [, delta] = events
    assert.ok(delta?.type === 'text-delta')
    assert.deepEqual([delta.delta, delta.logprobs?.map(({ token }) => token)], ['one', ['one']])
  })
})
