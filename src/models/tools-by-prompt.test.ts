import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import {
  collect,
  createScriptedModel,
  finish,
  type Script,
  textBlock,
  usage,
} from '../../test/support/decorated-models.ts'
import { systemClock } from '../lib/clock.ts'
import { createCountingIds } from '../lib/ids.ts'
import { createIsolatedChecks } from './isolated-checks.ts'
import { ModelError, type ModelEvent, type ModelTurn, type ToolDeclaration, type TurnItem } from './model.ts'
import { PLAIN_TURN } from './plain-turn.ts'
import { toolsByPrompt } from './tools-by-prompt.ts'

const checks = createIsolatedChecks({ clock: systemClock })
after(() => checks.close())

const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
const tool = (name: string, strict = false): ToolDeclaration => ({
  type: 'function',
  name,
  description: 'Looks it up.',
  parameters,
  strict,
})
const TURN: ModelTurn = { ...PLAIN_TURN, instructions: 'Be brief.', tools: [tool('weather'), tool('time')] }
const says = (...deltas: readonly string[]): Script => [textBlock('t', ...deltas), [finish('stop', usage(10, 2))]]
const call = (name: string, args: unknown) => `<tool_call>\n${JSON.stringify({ name, arguments: args })}\n</tool_call>`

async function run(scripts: readonly Script[], turn: ModelTurn = TURN) {
  const inner = createScriptedModel(scripts, { functionTools: false })
  return { inner, ...(await collect(toolsByPrompt(inner, { checks, ids: createCountingIds() }), turn)) }
}
/** What was said and called, in order. */
function brief(events: readonly ModelEvent[]): readonly string[] {
  const lines = new Map<string, string>()
  for (const event of events) {
    if (event.type === 'finish') lines.set('finish', event.reason)
    else if (event.type === 'text-start') lines.set(event.id, 'text ')
    else if (event.type === 'call-start') lines.set(event.id, `${event.name} `)
    else if ('delta' in event) lines.set(event.id, (lines.get(event.id) ?? '') + event.delta)
  }
  return [...lines.values()]
}

describe('tools in words', () => {
  it('describes the tools a turn may call behind its instructions, and offers the model none', async () => {
    const turn: ModelTurn = { ...TURN, toolChoice: { mode: 'required', allowed: ['time'] }, parallelToolCalls: false }
    const { inner } = await run([says(call('time', {}))], turn)
    const [asked] = inner.calls
    assert.deepEqual([asked?.tools, asked?.toolChoice], [[], { mode: 'auto', allowed: null }])
    const told = asked?.instructions ?? ''
    assert.match(told, /^Be brief\.\n\n/)
    assert.match(told, /\{"name":"time","description":"Looks it up\.","parameters":\{"type":"object"/)
    assert.match(told, /You must call "time" now\./)
    assert.match(told, /one call at most/)
    assert.ok(!told.includes('"weather"'))
  })

  it('says nothing of tools where none may be called', async () => {
    const { inner, events } = await run([says(call('time', {}))], {
      ...TURN,
      toolChoice: { mode: 'none', allowed: null },
    })
    assert.equal(inner.calls[0]?.instructions, 'Be brief.')
    assert.equal(brief(events)[0], `text ${call('time', {})}`)
  })

  it('puts earlier calls and results into messages, those of one step together', async () => {
    const fc = (call_id: string, name: string): TurnItem => ({
      id: `fc_${call_id}`,
      type: 'function_call',
      status: 'completed',
      call_id,
      name,
      arguments: '{"city":"Rome"}',
    })
    const output = (call_id: string, text: string): TurnItem => ({
      id: `fco_${call_id}`,
      type: 'function_call_output',
      status: 'completed',
      call_id,
      output: text,
    })
    const items = [fc('a', 'weather'), fc('b', 'time'), output('a', 'sunny'), output('b', 'noon')]
    const { inner } = await run([says('ok')], { ...TURN, items })
    const texts = inner.calls[0]?.items.map((item) => {
      assert.ok(item.type === 'message')
      const [part] = item.content
      return [item.role, part !== undefined && 'text' in part ? part.text : '']
    })
    assert.deepEqual(texts, [
      [
        'assistant',
        '<tool_call>\n{"name": "weather", "arguments": {"city":"Rome"}}\n</tool_call>\n' +
          '<tool_call>\n{"name": "time", "arguments": {"city":"Rome"}}\n</tool_call>',
      ],
      [
        'user',
        '<tool_response name="weather">\nsunny\n</tool_response>\n<tool_response name="time">\nnoon\n</tool_response>',
      ],
    ])
  })

  it('reads calls out of the text', async () => {
    const rome = '{"city":"Rome"}'
    for (const [text, expected] of [
      ['Just text.', ['text Just text.', 'stop']],
      ['a < b and <tool', ['text a < b and <tool', 'stop']],
      [call('weather', { city: 'Rome' }), [`weather ${rome}`, 'tool_calls']],
      [`Let me see.\n\n${call('weather', { city: 'Rome' })}\n`, ['text Let me see.', `weather ${rome}`, 'tool_calls']],
      [`${call('weather', { city: 'Rome' })}\n${call('time', {})}`, [`weather ${rome}`, 'time {}', 'tool_calls']],
      ['<tool_call>{"name":"time","arguments":"{}"}</tool_call>', ['time {}', 'tool_calls']],
      ['<tool_call>```json\n{"name":"time"}\n```</tool_call>', ['time {}', 'tool_calls']],
      ['<tool_call>{"name":"time","arguments":{}}', ['time {}', 'tool_calls']],
      [
        `${call('time', {})}<tool_response>12</tool_response>${call('weather', { city: 'made up' })}`,
        ['time {}', 'tool_calls'],
      ],
    ] as const) {
      for (const size of [1, 3, 1000]) {
        const deltas = text.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g')) ?? []
        const { events, error, inner } = await run([says(...deltas)])
        assert.equal(error, null)
        assert.deepEqual(brief(events), expected, `${text} in pieces of ${size}`)
        assert.equal(inner.calls.length, 1)
      }
    }
  })

  it('streams text before a call, and loses none of it, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom('a', ' ', '<', '<tool_', 'call', '\n', '😀')), async (deltas) => {
        const whole = deltas.join('')
        if (whole.includes('<tool_call>')) return
        const { events } = await run([says(...deltas)])
        const said = events.flatMap((event) => (event.type === 'text-delta' ? [event.delta] : [])).join('')
        assert.equal(said, whole)
      }),
    )
  })

  it('asks once more for a call that cannot be read, and shows no text twice', async () => {
    for (const [bad, complaint] of [
      ['<tool_call>{"name": "weather", oops}</tool_call>', 'not one JSON object'],
      [call('nobody', {}), 'there is no tool "nobody"'],
      [call('weather', ['Rome']), "arguments of 'weather' are not a JSON object"],
    ] as const) {
      const { events, inner, error } = await run([
        says('Hm. ', bad),
        says('Sorry! ', call('weather', { city: 'Rome' })),
      ])
      assert.equal(error, null)
      assert.deepEqual(brief(events), ['text Hm.', 'weather {"city":"Rome"}', 'tool_calls'])
      assert.deepEqual(events.at(-1), finish('tool_calls', usage(20, 4)))
      const told = JSON.stringify(inner.calls[1]?.items.slice(-2))
      assert.ok(told.includes('assistant') && told.includes(JSON.stringify(complaint).slice(1, -1)), told)
    }
  })

  it('holds strict arguments against their schema', async () => {
    const turn = { ...TURN, tools: [tool('weather', true)] }
    const { events, inner } = await run(
      [says(call('weather', { town: 'x' })), says(call('weather', { city: 'x' }))],
      turn,
    )
    assert.deepEqual(brief(events), ['weather {"city":"x"}', 'tool_calls'])
    assert.match(JSON.stringify(inner.calls[1]?.items), /required properties/)
  })

  it('fails when the second try is no better', async () => {
    const { events, error } = await run([says('Hm. <tool_call>x</tool_call>'), says('I give up.')])
    assert.ok(error instanceof ModelError && error.kind === 'malformed')
    assert.match(error.message, /in two tries: there is no call/)
    assert.ok(!events.some(({ type }) => type === 'finish' || type === 'call-start'))
  })

  it('insists on a required call, and shows no text in its place', async () => {
    const turn: ModelTurn = { ...TURN, toolChoice: { mode: 'required', allowed: null } }
    const { events, inner } = await run([says('It is sunny.'), says(call('weather', { city: 'Rome' }))], turn)
    assert.deepEqual(brief(events), ['weather {"city":"Rome"}', 'tool_calls'])
    assert.match(JSON.stringify(inner.calls[1]?.items), /a call is required/)
  })

  it('does not blame a turn that was cut off, and keeps what there is of it', async () => {
    const { events, error } = await run([[textBlock('t', 'Hm. <tool_call>{"na'), [finish('length')]]])
    assert.equal(error, null)
    assert.deepEqual(brief(events), ['text Hm.', 'text <tool_call>{"na', 'length'])
  })

  it('cannot give log probabilities of text that calls are read out of', () => {
    const model = toolsByPrompt(createScriptedModel([[]], { functionTools: false }), {
      checks,
      ids: createCountingIds(),
    })
    assert.deepEqual(model.notCarried?.({ ...TURN, topLogprobs: 2 }), [{ param: 'top_logprobs', weight: 'meaning' }])
    assert.deepEqual(model.notCarried?.(TURN), [])
  })
})
