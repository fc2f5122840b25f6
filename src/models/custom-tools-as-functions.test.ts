import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import {
  callBlock,
  collect,
  createScriptedModel,
  finish,
  openContext,
  type Script,
  textBlock,
  usage,
} from '../../test/support/decorated-models.ts'
import { systemClock } from '../lib/clock.ts'
import { createCountingIds } from '../lib/ids.ts'
import type { CustomFormat } from '../protocol/tools.ts'
import { customToolsAsFunctions, grammarNotes } from './custom-tools-as-functions.ts'
import { createIsolatedChecks } from './isolated-checks.ts'
import { ModelError, type ModelEvent, type ModelTurn, type ToolDeclaration } from './model.ts'
import { PLAIN_TURN } from './plain-turn.ts'

const checks = createIsolatedChecks({ clock: systemClock })
const options = { checks, ids: createCountingIds() }
after(() => checks.close())

const custom = (name: string, format: CustomFormat = { type: 'text' }): ToolDeclaration => ({
  type: 'custom',
  name,
  description: 'Edits.',
  format,
})
const regex = (definition: string): CustomFormat => ({ type: 'grammar', syntax: 'regex', definition })
const lark: CustomFormat = { type: 'grammar', syntax: 'lark', definition: 'start: "x"' }
const turnWith = (...tools: readonly ToolDeclaration[]): ModelTurn => ({ ...PLAIN_TURN, tools })

async function run(script: Script, turn: ModelTurn, ...later: readonly Script[]) {
  const inner = createScriptedModel([script, ...later], { customTools: false })
  return { inner, ...(await collect(customToolsAsFunctions(inner, options), turn)) }
}
const inputOf = (events: readonly ModelEvent[], id: string) =>
  events.flatMap((event) => (event.type === 'call-delta' && event.id === id ? [event.delta] : [])).join('')

describe('custom tools as functions', () => {
  it('declares each as a function with one string, and tells the model its grammar', async () => {
    const { inner } = await run([[finish()]], turnWith(custom('edit', lark)))
    const [tool] = inner.calls[0]?.tools ?? []
    assert.ok(tool?.type === 'function')
    assert.deepEqual(tool.parameters?.required, ['input'])
    assert.match(tool.description ?? '', /^Edits\.[\s\S]*lark grammar:\nstart: "x"$/)
    assert.equal(tool.strict, true)
  })

  it('turns earlier custom calls and their outputs into function calls, also of tools no longer offered', async () => {
    const call = {
      id: 'ctc_1',
      type: 'custom_tool_call',
      status: 'completed',
      call_id: 'c1',
      name: 'edit',
      input: 'a"b',
    } as const
    const output = {
      id: 'ctco_1',
      type: 'custom_tool_call_output',
      status: 'completed',
      call_id: 'c1',
      output: 'ok',
    } as const
    const { inner } = await run([[finish()]], { ...PLAIN_TURN, items: [call, output] })
    assert.deepEqual(inner.calls[0]?.items, [
      {
        id: 'ctc_1',
        type: 'function_call',
        status: 'completed',
        call_id: 'c1',
        name: 'edit',
        arguments: '{"input":"a\\"b"}',
      },
      { id: 'ctco_1', type: 'function_call_output', status: 'completed', call_id: 'c1', output: 'ok' },
    ])
  })

  it('streams the decoded input of the call', async () => {
    const { events } = await run(
      [callBlock('c', 'edit', '{"in', 'put": "*** Be', 'gin\\', 'n+\\u00', 'e9"}'), [finish('tool_calls')]],
      turnWith(custom('edit')),
    )
    assert.deepEqual(events, [
      { type: 'call-start', id: 'c', kind: 'custom', name: 'edit', callId: 'call_c' },
      { type: 'call-delta', id: 'c', delta: '*** Be' },
      { type: 'call-delta', id: 'c', delta: 'gin' },
      { type: 'call-delta', id: 'c', delta: '\n+' },
      { type: 'call-delta', id: 'c', delta: 'é' },
      { type: 'call-end', id: 'c' },
      finish('tool_calls'),
    ])
  })

  it('takes bare text for the input, and leaves functions and text alone', async () => {
    const fn: ToolDeclaration = { type: 'function', name: 'f', description: null, parameters: null, strict: false }
    const { events } = await run(
      [
        textBlock('t', 'hm'),
        callBlock('c', 'edit', 'print', '(1)'),
        callBlock('f', 'f', '{"input":1}'),
        [finish('tool_calls')],
      ],
      turnWith(custom('edit'), fn),
    )
    assert.equal(inputOf(events, 'c'), 'print(1)')
    assert.equal(inputOf(events, 'f'), '{"input":1}')
    assert.deepEqual(events.slice(0, 3), textBlock('t', 'hm'))
  })

  it('keeps every block bracketed and whole, however calls interleave and are cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.string(), fc.array(fc.nat(40), { maxLength: 6 }), async (a, b, cuts) => {
        const pieces = (text: string) => {
          const json = JSON.stringify({ input: text })
          const places = [0, ...cuts.map((cut) => cut % json.length).sort((x, y) => x - y), json.length]
          return places.slice(1).map((end, index) => json.slice(places[index], end))
        }
        const [one, two] = [callBlock('a', 'edit', ...pieces(a)), callBlock('b', 'edit', ...pieces(b))]
        const mixed = one.flatMap((event, index) => [[event], two.slice(index, index + 1)])
        const { events } = await run([...mixed, [finish('tool_calls')]], turnWith(custom('edit', regex('[\\d\\D]*'))))
        assert.deepEqual([inputOf(events, 'a'), inputOf(events, 'b')], [a, b])
        assert.equal(events.filter((event) => event.type === 'call-end').length, 2)
        assert.equal(events.at(-1)?.type, 'finish')
      }),
      { numRuns: 50 },
    )
  })

  for (const [name, format, fitting, wrong] of [
    ['regex', regex('\\d+'), '12', '1x'],
    ['lark', { type: 'grammar', syntax: 'lark', definition: 'start: "a" ("," "a")*' }, 'a,a', 'a,b'],
  ] as const) {
    const turn = turnWith(custom('edit', format))
    const calling = (input: string, tokens = 1): Script => [
      callBlock('c', 'edit', JSON.stringify({ input })),
      [finish('tool_calls', usage(tokens, 1))],
    ]

    it(`shows a call only when its input fits the ${name} grammar, and asks once more for one that does not`, async () => {
      const good = await run(calling(fitting), turn)
      assert.deepEqual([good.error, inputOf(good.events, 'c'), good.inner.calls.length], [null, fitting, 1])

      const repaired = await run(calling(wrong), turn, calling(fitting, 5))
      assert.equal(repaired.error, null)
      assert.deepEqual(
        repaired.events.map(({ type }) => type),
        ['call-start', 'call-delta', 'call-end', 'finish'],
      )
      assert.equal(inputOf(repaired.events, 'c'), fitting)
      assert.deepEqual(repaired.events.at(-1), finish('tool_calls', usage(6, 2)))
      const [, again] = repaired.inner.calls
      assert.deepEqual(again?.toolChoice, { mode: 'required', allowed: ['edit'] })
      const told = again?.items.at(-1)
      assert.ok(told?.type === 'function_call_output' && String(told.output).includes(`${name} grammar`))
    })

    it(`fails the turn when the ${name} grammar is broken twice, and shows nothing of the call`, async () => {
      for (const second of [calling(wrong), [textBlock('t', 'no'), [finish()]]]) {
        const bad = await run([textBlock('t', 'hm'), ...calling(wrong)], turn, second)
        assert.ok(bad.error instanceof ModelError && bad.error.kind === 'malformed')
        assert.match(bad.error.message, /'edit' is not usable, in two tries/)
        assert.deepEqual(bad.events, textBlock('t', 'hm'))
      }
    })
  }

  it('repairs one of several calls and leaves the others as they are', async () => {
    const turn = turnWith(custom('edit', regex('\\d+')), custom('note'))
    const first: Script = [
      callBlock('a', 'edit', '{"input":"1"}'),
      callBlock('b', 'edit', '{"input":"x"}'),
      callBlock('c', 'note', '{"input":"free"}'),
      [finish('tool_calls')],
    ]
    const { events, error } = await run(first, turn, [callBlock('z', 'edit', '{"input":"2"}'), [finish('tool_calls')]])
    assert.equal(error, null)
    assert.deepEqual([inputOf(events, 'a'), inputOf(events, 'b'), inputOf(events, 'c')], ['1', '2', 'free'])
  })

  it('does not blame an input that was cut off', async () => {
    const { events, error } = await run(
      [callBlock('c', 'edit', '{"input":"1'), [finish('length')]],
      turnWith(custom('edit', regex('\\d\\d'))),
    )
    assert.equal(error, null)
    assert.deepEqual(events.slice(-2), [{ type: 'call-end', id: 'c' }, finish('length')])
  })

  it('fails a turn whose regex takes too long, and says so', async () => {
    const { error } = await run(
      [callBlock('c', 'edit', JSON.stringify({ input: `${'a'.repeat(60)}!` })), [finish('tool_calls')]],
      turnWith(custom('edit', regex('(a+)+'))),
    )
    assert.ok(error instanceof ModelError)
    assert.match(error.message, /could not be checked.*more than 250 ms/)
  })

  it('says which grammars are only advisory', () => {
    const beyond: CustomFormat = { type: 'grammar', syntax: 'lark', definition: 'start: /x/i' }
    const tools = [
      custom('a', lark),
      custom('b', regex('\\d')),
      custom('c', regex('(?i)x')),
      custom('d'),
      custom('e', beyond),
    ]
    assert.deepEqual(
      grammarNotes(tools).map((note) => /'(\w)'/.exec(note)?.[1]),
      ['c', 'e'],
    )
    const model = customToolsAsFunctions(createScriptedModel([[]], { customTools: false }), options)
    assert.deepEqual(model.notCarried?.(turnWith(...tools)), [{ param: 'tools', weight: 'hint' }])
    assert.deepEqual(model.notCarried?.(turnWith(custom('d'))), [])
    assert.equal(model.capabilities.customTools, true)
  })

  it('counts tokens of what the model is really shown', async () => {
    const inner = createScriptedModel([[]], { customTools: false })
    await customToolsAsFunctions(inner, options).countInputTokens(turnWith(custom('edit')), openContext())
    assert.equal(inner.calls[0]?.tools[0]?.type, 'function')
  })
})
