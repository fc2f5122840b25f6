import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import {
  callBlock,
  collect,
  createScriptedModel,
  finish,
  openContext,
  PLAIN_TURN,
  type Script,
  textBlock,
} from '../../test/support/decorated-models.ts'
import { systemClock } from '../lib/clock.ts'
import type { CustomFormat } from '../protocol/tools.ts'
import { customToolsAsFunctions, grammarNotes } from './custom-tools-as-functions.ts'
import { createIsolatedChecks } from './isolated-checks.ts'
import { ModelError, type ModelEvent, type ModelTurn, type ToolDeclaration } from './model.ts'

const checks = createIsolatedChecks({ clock: systemClock })
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

async function run(script: Script, turn: ModelTurn) {
  const inner = createScriptedModel([script], { customTools: false })
  return { inner, ...(await collect(customToolsAsFunctions(inner, { checks }), turn)) }
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

  it('fails a turn whose input breaks the regex grammar, before the call ends', async () => {
    const turn = turnWith(custom('edit', regex('\\d+')))
    const good = await run([callBlock('c', 'edit', '{"input":"12"}'), [finish('tool_calls')]], turn)
    assert.deepEqual([good.error, good.events.at(-2)], [null, { type: 'call-end', id: 'c' }])

    const bad = await run([callBlock('c', 'edit', '{"input":"1x"}'), [finish('tool_calls')]], turn)
    assert.ok(bad.error instanceof ModelError && bad.error.kind === 'malformed')
    assert.match(bad.error.message, /'edit' does not match/)
    assert.ok(!bad.events.some((event) => event.type === 'call-end' || event.type === 'finish'))
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
    const tools = [custom('a', lark), custom('b', regex('\\d')), custom('c', regex('(?i)x')), custom('d')]
    assert.deepEqual(
      grammarNotes(tools).map((note) => /'(\w)'/.exec(note)?.[1]),
      ['a', 'c'],
    )
    const model = customToolsAsFunctions(createScriptedModel([[]], { customTools: false }), { checks })
    assert.deepEqual(model.notCarried?.(turnWith(...tools)), [{ param: 'tools', weight: 'hint' }])
    assert.deepEqual(model.notCarried?.(turnWith(custom('d'))), [])
    assert.equal(model.capabilities.customTools, true)
  })

  it('counts tokens of what the model is really shown', async () => {
    const inner = createScriptedModel([[]], { customTools: false })
    await customToolsAsFunctions(inner, { checks }).countInputTokens(turnWith(custom('edit')), openContext())
    assert.equal(inner.calls[0]?.tools[0]?.type, 'function')
  })
})
