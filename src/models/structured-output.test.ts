import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import {
  callBlock,
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
import { type FieldTable, ModelError, type ModelEvent, type ModelTurn } from './model.ts'
import { PLAIN_TURN } from './plain-turn.ts'
import { type JsonFormat, structuredOutput } from './structured-output.ts'

const checks = createIsolatedChecks({ clock: systemClock })
after(() => checks.close())

const schema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'], additionalProperties: false }
const strict: Extract<JsonFormat, { type: 'json_schema' }> = {
  type: 'json_schema',
  name: 'answer',
  schema,
  strict: true,
}
const turnFor = (format: JsonFormat): ModelTurn => ({
  ...PLAIN_TURN,
  instructions: 'Be brief.',
  text: { format, verbosity: 'medium' },
})
const says = (...deltas: readonly string[]): Script => [textBlock('t', ...deltas), [finish('stop', usage(10, 2))]]
const textOf = (events: readonly ModelEvent[]) =>
  events.flatMap((event) => (event.type === 'text-delta' ? [event.delta] : [])).join('')

async function run(scripts: readonly Script[], format: JsonFormat = strict) {
  const inner = createScriptedModel(scripts, { structuredOutput: false })
  const model = structuredOutput(inner, { ids: createCountingIds(), checks })
  return { inner, ...(await collect(model, turnFor(format))) }
}

describe('structured output in words', () => {
  it('tells the model the schema behind the instructions and asks for plain text', async () => {
    const { inner, events, error } = await run([says('{"n"', ':1}')])
    assert.equal(error, null)
    assert.deepEqual(events, [...textBlock('t', '{"n"', ':1}'), finish('stop', usage(10, 2))])
    const [turn] = inner.calls
    assert.match(turn?.instructions ?? '', /^Be brief\.\n\n[\s\S]*"additionalProperties":false/)
    assert.equal(turn?.text.format.type, 'text')
  })

  it('takes the JSON out of code fences and out of the words around it', async () => {
    for (const text of [
      '```json\n{"n":1}\n```',
      'Here:\n```\n{"n":1}\n```\nDone.',
      'Sure! {"n":1} Anything else?',
      ' {"n":1}\n',
    ]) {
      const { inner, events } = await run([says(text)])
      assert.equal(textOf(events), '{"n":1}', text)
      assert.equal(inner.calls.length, 1)
    }
  })

  it('gives the model one chance to repair its answer, and adds up the usage', async () => {
    const { inner, events, error } = await run([says('{"n":"x"}'), says('{"n":2}')])
    assert.equal(error, null)
    assert.equal(textOf(events), '{"n":2}')
    assert.deepEqual(events.at(-1), finish('stop', usage(20, 4)))
    assert.equal(events.filter((event) => event.type === 'finish').length, 1)
    const [answer, complaint] = inner.calls[1]?.items ?? []
    assert.match(JSON.stringify(answer), /"assistant".*n.*x/)
    assert.match(JSON.stringify(complaint), /\/n must be integer/)
    assert.deepEqual(inner.calls[1]?.toolChoice, { mode: 'none', allowed: null })
  })

  it('fails after the second bad answer, with nothing yielded', async () => {
    const { inner, events, error } = await run([says('no'), says('{"m":1}'), says('{"n":1}')])
    assert.ok(error instanceof ModelError && error.kind === 'malformed')
    assert.deepEqual([events.length, inner.calls.length], [0, 2])
  })

  it('without strict the second answer counts when it is JSON', async () => {
    const { events, error } = await run([says('no'), says('{"m":1}')], { ...strict, strict: false })
    assert.deepEqual([textOf(events), error], ['{"m":1}', null])
  })

  it('wants an object for json_object', async () => {
    const { inner, events } = await run([says('[1]'), says('{"any":1}')], { type: 'json_object' })
    assert.deepEqual([textOf(events), inner.calls.length], ['{"any":1}', 2])
  })

  it('lets calls, refusals and cut-off answers pass unjudged', async () => {
    const call: Script = [textBlock('t', 'Let me look.'), callBlock('c', 'f', '{}'), [finish('tool_calls')]]
    const called = await run([call])
    assert.deepEqual(called.events, [...callBlock('c', 'f', '{}'), finish('tool_calls')])

    const refusal: readonly ModelEvent[] = [
      { type: 'refusal-start', id: 'r' },
      { type: 'refusal-delta', id: 'r', delta: 'No.' },
      { type: 'refusal-end', id: 'r' },
    ]
    assert.deepEqual((await run([[refusal, [finish()]]])).events, [...refusal, finish()])
    assert.equal(textOf((await run([[textBlock('t', '{"n"'), [finish('length')]]])).events), '{"n"')
  })

  it('keeps reasoning in its place when the text is replaced', async () => {
    const reasoning: readonly ModelEvent[] = [
      { type: 'reasoning-start', id: 'r' },
      { type: 'reasoning-delta', id: 'r', kind: 'text', part: 0, delta: 'hm' },
      { type: 'reasoning-end', id: 'r' },
    ]
    const { events } = await run([[reasoning, textBlock('t', '```\n{"n":1}\n```'), [finish()]]])
    assert.deepEqual(events, [...reasoning, ...textBlock('t', '{"n":1}'), finish()])
  })

  it('refuses a schema that takes too long to check, without a second call', async () => {
    const slow = { type: 'object', properties: { n: { type: 'string', pattern: '^(a+)+$' } } }
    const { inner, error } = await run([says(JSON.stringify({ n: `${'a'.repeat(60)}!` }))], { ...strict, schema: slow })
    assert.ok(error instanceof ModelError && error.kind === 'invalid_request' && error.param === 'text.format.schema')
    assert.equal(inner.calls.length, 1)
  })

  it('streams plain text turns as they come', async () => {
    const inner = createScriptedModel([[textBlock('t', 'a'), [finish()]]], { structuredOutput: false })
    const model = structuredOutput(inner, { ids: createCountingIds(), checks })
    assert.deepEqual((await collect(model)).events, [...textBlock('t', 'a'), finish()])
    assert.equal(inner.calls[0]?.instructions, null)
  })
})

describe('a model that can be constrained to some formats', () => {
  const formats = (...lost: readonly string[]) => {
    const inner = createScriptedModel([says('{"n":', '1}')], { structuredOutput: true })
    const some = {
      ...inner,
      fields: { 'text.format.json_object': 'refused' } as const,
      notCarried: (turn: ModelTurn) =>
        lost.includes(turn.text.format.type) ? [{ param: 'text.format', weight: 'meaning' } as const] : [],
    }
    return { inner, model: structuredOutput(some, { ids: createCountingIds(), checks }) }
  }

  it('is constrained to what it carries, and streams', async () => {
    const { inner, model } = formats('json_object')
    assert.deepEqual(model.notCarried?.(turnFor(strict)), [])
    const { events } = await collect(model, turnFor(strict))
    assert.equal(events.filter(({ type }) => type === 'text-delta').length, 2)
    assert.deepEqual(inner.calls[0]?.text.format, strict)
  })

  it('is told the others in words, and its answer is checked', async () => {
    const { inner, model } = formats('json_object', 'json_schema')
    assert.equal(model.fields['text.format.json_object'], 'emulated')
    assert.deepEqual(model.notCarried?.(turnFor(strict)), [])
    const { events } = await collect(model, turnFor(strict))
    assert.equal(textOf(events), '{"n":1}')
    assert.equal(inner.calls[0]?.text.format.type, 'text')
    assert.match(inner.calls[0]?.instructions ?? '', /JSON Schema "answer"/)
  })
})

describe('structured output by a call', () => {
  const CALLABLE = { structuredOutput: false, functionTools: true, reasoning: false }
  const calls = (name: string, json: string): Script => [
    textBlock('t', 'I will answer.'),
    callBlock('c', name, json),
    [finish('tool_calls', usage(10, 2))],
  ]
  async function answered(scripts: readonly Script[], turn: ModelTurn = turnFor(strict), fields: FieldTable = {}) {
    const inner = { ...createScriptedModel(scripts, CALLABLE), fields }
    const model = structuredOutput(inner, { ids: createCountingIds(), checks })
    return { inner, ...(await collect(model, turn)) }
  }

  it('makes the model call a function with the schema, and shows its arguments as text', async () => {
    const { inner, events, error } = await answered([calls('final_answer', '{"n":1}')])
    assert.equal(error, null)
    assert.deepEqual(events, [...textBlock('c', '{"n":1}'), finish('stop', usage(10, 2))])
    const [turn] = inner.calls
    assert.deepEqual(turn?.toolChoice, { mode: 'required', allowed: null })
    assert.deepEqual(
      turn?.tools.map((tool) => tool.type === 'function' && tool.parameters),
      [schema],
    )
    assert.equal(turn?.instructions, 'Be brief.')
  })

  it('repairs arguments that do not fit, in words', async () => {
    const { inner, events } = await answered([calls('final_answer', '{"n":"x"}'), says('{"n":2}')])
    assert.equal(textOf(events), '{"n":2}')
    assert.equal(inner.calls[1]?.toolChoice.mode, 'none')
    assert.match(inner.calls[1]?.instructions ?? '', /valid against the JSON Schema/)
  })

  it("stands beside the client's own tools, whose calls come first", async () => {
    const own = {
      type: 'function',
      name: 'final_answer',
      description: null,
      parameters: schema,
      strict: false,
    } as const
    const turn: ModelTurn = { ...turnFor(strict), tools: [own] }
    const called = await answered([calls('final_answer', '{"n":1}')], turn)
    assert.deepEqual(
      called.inner.calls[0]?.tools.map(({ name }) => name),
      ['final_answer', 'final_answer_'],
    )
    assert.ok(called.events.some((event) => event.type === 'call-start' && event.name === 'final_answer'))
    const both: Script = [
      ...calls('final_answer', '{"n":1}').slice(1, 2),
      ...calls('final_answer_', '{"n":2}').slice(1),
    ]
    const { events } = await answered([both.map((batch) => batch)], turn)
    assert.equal(textOf(events), '')
  })

  it('is asked for in words where a model cannot be made to call', async () => {
    for (const [turn, fields] of [
      [turnFor(strict), { tool_choice: 'refused' }],
      [
        { ...turnFor(strict), toolChoice: { mode: 'none', allowed: null }, tools: [] },
        { 'tools.function': 'emulated' },
      ],
      [turnFor({ ...strict, schema: { type: 'array' } }), {}],
      [turnFor({ type: 'json_object' }), {}],
    ] as const satisfies readonly (readonly [ModelTurn, FieldTable])[]) {
      const { inner } = await answered([says('[]'), says('{}')], turn, fields)
      assert.deepEqual(inner.calls[0]?.tools, [])
    }
  })
})
