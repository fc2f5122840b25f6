import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { validateMessages } from '../../../test/fakes/anthropic-validate.ts'
import { TEST_CAPABILITIES, TEST_TURN } from '../../../test/fakes/chat-fixtures.ts'
import type { ModelTurn, ToolDeclaration, TurnItem } from '../model.ts'
import { encodeRequest } from './encode-request.ts'
import { familyOf } from './family.ts'
import { fieldTable, notCarried } from './field-table.ts'
import { packThinking } from './thinking-state.ts'

const tool = (name: string, fields: object = {}): ToolDeclaration => ({
  type: 'function',
  name,
  description: null,
  parameters: null,
  strict: false,
  ...fields,
})
const optionsFor = (model: string, maxOutputTokens: number | null) => {
  const family = familyOf(model)
  return { family, capabilities: { ...TEST_CAPABILITIES, maxOutputTokens, structuredOutput: family.structuredOutput } }
}
const mostOf = (model: string) => (model === 'claude-3-5-haiku' ? 8192 : 64_000)
const encode = (model: string, turn: Partial<ModelTurn>, maxOutputTokens: number | null = mostOf(model)) => {
  const encoded = encodeRequest({ ...TEST_TURN, model, ...turn }, optionsFor(model, maxOutputTokens))
  assert.equal(validateMessages(JSON.parse(JSON.stringify(encoded.body)), false), null, 'the strict fake takes it')
  return encoded
}
const bodyOf = (model: string, turn: Partial<ModelTurn>) => encode(model, turn).body
const lostOf = (model: string, turn: Partial<ModelTurn>) => {
  const options = optionsFor(model, mostOf(model))
  const whole = { ...TEST_TURN, model, ...turn }
  return notCarried(whole, options, (one) => encodeRequest(one, options)).map(
    ({ param, weight }) => `${weight} ${param}`,
  )
}

const OLD = 'claude-sonnet-4-5'
const NEW = 'claude-opus-5-5'
const reasoning = (effort: ModelTurn['reasoning']['effort'], summary: ModelTurn['reasoning']['summary'] = null) => ({
  reasoning: { effort, summary },
})
const required = { toolChoice: { mode: 'required', allowed: null }, tools: [tool('f'), tool('g')] } as const
const items = (...list: object[]) => ({ items: [...TEST_TURN.items, ...list] as TurnItem[] })
const STATE = packThinking({ type: 'thinking', thinking: 'x', signature: 's' })
const call = { id: 'fc', type: 'function_call', status: 'completed', call_id: '1', name: 'f', arguments: '{}' }
const output = { id: 'fco', type: 'function_call_output', status: 'completed', call_id: '1', output: 'ok' }
const thought = { id: 'rs', type: 'reasoning', summary: [], encrypted_content: STATE }

describe('max_tokens', () => {
  const cases: readonly [number | null, number | null, number][] = [
    [null, null, 32_000],
    [null, 64_000, 64_000],
    [500, 64_000, 500],
    [100_000, 64_000, 64_000],
    [40_000, null, 40_000],
  ]
  for (const [asked, most, sent] of cases) {
    it(`asked for ${asked} of a model that writes ${most}: ${sent}`, () => {
      assert.equal(encode(OLD, { maxOutputTokens: asked }, most).body.max_tokens, sent)
    })
  }
})

describe('sampling', () => {
  const cases: readonly [string, Partial<ModelTurn>, object, string[]][] = [
    [OLD, { temperature: 0.2 }, { temperature: 0.2 }, []],
    [OLD, { topP: 0.5 }, { top_p: 0.5 }, []],
    [OLD, { temperature: 1, topP: 1 }, {}, []],
    [OLD, { temperature: 1.5 }, {}, ['meaning temperature']],
    [OLD, { temperature: 0.2, topP: 0.5 }, { temperature: 0.2 }, ['meaning top_p']],
    ['claude-3-5-haiku', { temperature: 0.2, topP: 0.5 }, { temperature: 0.2, top_p: 0.5 }, []],
    [NEW, { temperature: 0.2 }, {}, ['meaning temperature']],
    [NEW, { temperature: 1, topP: 1 }, {}, []],
    [OLD, { temperature: 0.2, ...reasoning('low') }, {}, ['meaning temperature']],
    [OLD, { topP: 0.97, ...reasoning('low') }, { top_p: 0.97 }, []],
    [OLD, { stop: ['END', '\n'] }, { stop_sequences: ['END'] }, ['meaning stop']],
    [OLD, { presencePenalty: 1, frequencyPenalty: 1 }, {}, ['meaning presence_penalty', 'meaning frequency_penalty']],
  ]
  for (const [model, turn, sent, lost] of cases) {
    it(`${model}: ${JSON.stringify(turn)} sends ${JSON.stringify(sent)}`, () => {
      const { temperature, top_p, stop_sequences } = bodyOf(model, turn)
      assert.deepEqual(JSON.parse(JSON.stringify({ temperature, top_p, stop_sequences })), sent)
      assert.deepEqual(lostOf(model, turn), lost)
    })
  }
})

describe('reasoning', () => {
  const adaptive = (display: string) => ({ type: 'adaptive', display })
  const enabled = (budget_tokens: number) => ({ type: 'enabled', budget_tokens })
  const cases: readonly [string, string, Partial<ModelTurn>, object | undefined, string | undefined, string[]][] = [
    ['nothing asked', NEW, {}, undefined, undefined, []],
    ['an effort', NEW, reasoning('high'), adaptive('omitted'), 'high', []],
    ['an effort and a summary', NEW, reasoning('low', 'auto'), adaptive('summarized'), 'low', []],
    ['a summary alone', NEW, reasoning(null, 'detailed'), adaptive('summarized'), undefined, []],
    ['an effort it does not know', NEW, reasoning('minimal'), adaptive('omitted'), 'low', ['hint reasoning.effort']],
    [
      'none, of one that always thinks',
      NEW,
      reasoning('none'),
      adaptive('omitted'),
      undefined,
      ['hint reasoning.effort'],
    ],
    ['none, of one that thinks by itself', 'claude-sonnet-5', reasoning('none'), { type: 'disabled' }, undefined, []],
    ['none, of one that does not', 'claude-opus-4-8', reasoning('none'), undefined, undefined, []],
    [
      'xhigh, of one without',
      'claude-sonnet-4-6',
      reasoning('xhigh'),
      adaptive('omitted'),
      'high',
      ['hint reasoning.effort'],
    ],
    ['an effort as a budget', OLD, reasoning('medium'), enabled(8192), undefined, []],
    ['the least budget', OLD, reasoning('minimal'), enabled(1024), undefined, []],
    ['a summary alone, with a budget', OLD, reasoning(null, 'auto'), enabled(8192), undefined, []],
    ['a budget within max_tokens', OLD, { ...reasoning('max'), maxOutputTokens: 4000 }, enabled(2976), undefined, []],
    [
      'no room for a budget',
      OLD,
      { ...reasoning('low'), maxOutputTokens: 2000 },
      undefined,
      undefined,
      ['hint reasoning.effort'],
    ],
    [
      'a budget and a forced call',
      OLD,
      { ...reasoning('low'), ...required },
      undefined,
      undefined,
      ['hint reasoning.effort'],
    ],
    [
      'adaptive and a forced call',
      'claude-opus-4-8',
      { ...reasoning('low'), ...required },
      adaptive('omitted'),
      'low',
      [],
    ],
    [
      'a loop that began without',
      OLD,
      { ...reasoning('low'), ...items(call, output) },
      undefined,
      undefined,
      ['hint reasoning.effort'],
    ],
    [
      'a loop that began with it',
      OLD,
      { ...reasoning('low'), ...items(thought, call, output) },
      enabled(2048),
      undefined,
      [],
    ],
    ['one that cannot', 'claude-3-5-haiku', reasoning('low'), undefined, undefined, ['hint reasoning.effort']],
  ]
  for (const [what, model, turn, thinking, effort, lost] of cases) {
    it(`${what} (${model})`, () => {
      const body = bodyOf(model, turn)
      assert.deepEqual(body.thinking, thinking)
      assert.deepEqual(body.output_config, effort && { effort })
      assert.deepEqual(lostOf(model, turn), lost)
    })
  }

  it('old thoughts of a model that binds them are dropped rather than refused when something before them changed', () => {
    const said = {
      id: 'm',
      type: 'message',
      status: 'completed',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'a' }],
    }
    const turn = items(thought, said, ...TEST_TURN.items)
    const { body, betas } = encode(NEW, turn)
    const binding = { prefix_mismatch_behavior: 'drop_block' }
    assert.deepEqual(body.thinking, { type: 'adaptive', block_binding: binding })
    assert.deepEqual(betas, ['thinking-binding-controls-2026-08-01'])
    assert.deepEqual(encode('claude-opus-4-8', turn).betas, [])
  })

  it('thinking between calls is asked for where it must be', () => {
    assert.deepEqual(encode(OLD, { ...reasoning('low'), tools: [tool('f')] }).betas, [
      'interleaved-thinking-2025-05-14',
    ])
    assert.deepEqual(encode(OLD, reasoning('low')).betas, [])
  })

  it('thoughts that cannot be shown to it are told as lost, never refused', () => {
    const foreign = { id: 'rs', type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }] }
    assert.deepEqual(lostOf(NEW, items(foreign)), ['note input.reasoning'])
    assert.deepEqual(lostOf(NEW, items({ ...foreign, encrypted_content: STATE })), [])
  })
})

describe('tools', () => {
  const schema = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false }
  const choice = (turn: Partial<ModelTurn>, model = OLD) => {
    const { tools, tool_choice } = bodyOf(model, { tools: [tool('f'), tool('g')], ...turn })
    return [tools?.map(({ name }) => name).join(), tool_choice]
  }
  const cases: readonly [string, Partial<ModelTurn>, unknown[]][] = [
    ['auto', {}, ['f,g', undefined]],
    ['none', { toolChoice: { mode: 'none', allowed: null } }, ['f,g', { type: 'none' }]],
    ['required', { toolChoice: { mode: 'required', allowed: null } }, ['f,g', { type: 'any' }]],
    ['one tool', { toolChoice: { mode: 'required', allowed: ['g'] } }, ['f,g', { type: 'tool', name: 'g' }]],
    ['some of them', { toolChoice: { mode: 'auto', allowed: ['g'] } }, ['g', undefined]],
    ['one at a time', { parallelToolCalls: false }, ['f,g', { type: 'auto', disable_parallel_tool_use: true }]],
    [
      'required, one at a time',
      { toolChoice: { mode: 'required', allowed: null }, parallelToolCalls: false },
      ['f,g', { type: 'any', disable_parallel_tool_use: true }],
    ],
  ]
  for (const [what, turn, expected] of cases) it(`choice: ${what}`, () => assert.deepEqual(choice(turn), expected))

  it('a model that cannot be forced says so by name', () => {
    assert.deepEqual(lostOf(NEW, required), ['meaning tool_choice'])
    assert.equal(bodyOf(NEW, required).tool_choice, undefined)
  })

  it('calls of tools that are offered no more are declared and forbidden', () => {
    const { tools, tool_choice } = bodyOf(OLD, items(call, output))
    assert.deepEqual(tools, [{ name: 'f', input_schema: { type: 'object', properties: {} } }])
    assert.deepEqual(tool_choice, { type: 'none' })
  })

  it('a strict tool is strict where the provider can hold it', () => {
    const strict = (parameters: object, model = OLD) =>
      bodyOf(model, { tools: [tool('f', { strict: true, parameters })] }).tools?.[0]?.strict
    assert.equal(strict(schema), true)
    assert.equal(strict(schema, 'claude-3-5-haiku'), undefined)
    assert.equal(strict({ ...schema, properties: { a: { type: 'string', minLength: 2 } } }), undefined)
    assert.equal(strict({ ...schema, properties: { a: { $ref: '#' } } }), undefined)
  })

  it('more strict tools than the provider takes together are all sent without', () => {
    const many = Array.from({ length: 21 }, (_, index) => tool(`f${index}`, { strict: true, parameters: schema }))
    assert.ok(bodyOf(OLD, { tools: many.slice(1) }).tools?.every(({ strict }) => strict === true))
    assert.ok(bodyOf(OLD, { tools: many }).tools?.every(({ strict }) => strict === undefined))
  })
})

describe('structured output', () => {
  const format = (schema: object) =>
    ({
      text: { format: { type: 'json_schema', name: 'n', schema: { ...schema }, strict: true }, verbosity: 'medium' },
    }) as const
  const closed = {
    type: 'object',
    properties: { a: { type: 'integer' } },
    required: ['a'],
    additionalProperties: false,
  }

  it('a schema it can hold is a constraint, closed', () => {
    const { additionalProperties: _, ...open } = closed
    const schema = { ...open, $schema: 'https://json-schema.org/draft/2020-12/schema' }
    assert.deepEqual(bodyOf(OLD, format(schema)).output_config, { format: { type: 'json_schema', schema: closed } })
    assert.deepEqual(lostOf(OLD, format(schema)), [])
  })

  const outside: readonly [string, object][] = [
    ['a bound of a number', { ...closed, properties: { a: { type: 'integer', minimum: 1 } } }],
    ['a map', { type: 'object', additionalProperties: { type: 'string' } }],
    [
      'a schema inside itself',
      {
        ...closed,
        properties: { a: { $ref: '#/$defs/n' } },
        $defs: { n: { type: 'object', properties: { n: { $ref: '#/$defs/n' } } } },
      },
    ],
    [
      'too many optional fields',
      {
        type: 'object',
        properties: Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`p${i}`, { type: 'string' }])),
      },
    ],
    ['a lookahead', { ...closed, properties: { a: { type: 'string', pattern: '^(?=x)' } } }],
  ]
  for (const [what, schema] of outside) {
    it(`${what} is left to a wrapper`, () => {
      assert.equal(bodyOf(OLD, format(schema)).output_config, undefined)
      assert.deepEqual(lostOf(OLD, format(schema)), ['meaning text.format'])
    })
  }

  it('is left to a wrapper where the model has none, and for JSON without a schema', () => {
    const json = { text: { format: { type: 'json_object' }, verbosity: 'medium' } } as const
    assert.deepEqual(lostOf('claude-3-5-haiku', format(closed)), ['meaning text.format'])
    assert.deepEqual(lostOf(OLD, json), ['meaning text.format'])
  })
})

describe('caching', () => {
  const marks = (turn: Partial<ModelTurn>) => {
    const { tools = [], system = [], messages } = bodyOf(OLD, { instructions: 'be', tools: [tool('f')], ...turn })
    const blocks = [
      ...tools.map((one, index) => [`tool${index}`, one.cache_control] as const),
      ...system.map((one, index) => [`system${index}`, one.cache_control] as const),
      ...messages.flatMap(({ content }, index) =>
        content.map((one) => [`message${index}`, 'cache_control' in one ? one.cache_control : undefined] as const),
      ),
    ]
    return blocks.flatMap(([where, control]) => (control ? [[where, control]] : []))
  }
  const CACHE = { type: 'ephemeral' }
  const assistant = {
    id: 'm',
    type: 'message',
    status: 'completed',
    role: 'assistant',
    content: [{ type: 'output_text', text: 'a' }],
  }
  const marked = (text: string) => ({
    ...TEST_TURN.items[0],
    content: [{ type: 'input_text', text, prompt_cache_breakpoint: { mode: 'explicit' } }],
  })

  it('without a key nothing is marked', () => assert.deepEqual(marks({}), []))
  it('with a key the ends of tools, system and the last two turns are', () => {
    const turn = items(assistant, ...TEST_TURN.items)
    assert.deepEqual(marks({ ...turn, promptCacheKey: 'k' }), [
      ['tool0', CACHE],
      ['system0', CACHE],
      ['message0', CACHE],
      ['message2', CACHE],
    ])
  })
  it('a day becomes the longest time there is, and that is told', () => {
    const turn = { promptCacheKey: 'k', promptCacheRetention: '24h' }
    assert.deepEqual(marks(turn)[0], ['tool0', { type: 'ephemeral', ttl: '1h' }])
    assert.deepEqual(lostOf(OLD, turn), ['hint prompt_cache_retention'])
  })
  it("the client's own breakpoints stand above ours, the last four of them", () => {
    const own = items(...['a', 'b', 'c', 'd', 'e'].flatMap((text) => [assistant, marked(text)]))
    assert.deepEqual(
      marks({ ...own, promptCacheKey: 'k' }).map(([where]) => where),
      ['message4', 'message6', 'message8', 'message10'],
    )
  })
})

describe('hints', () => {
  it('service tier, safety identifier and verbosity', () => {
    assert.equal(bodyOf(OLD, { serviceTier: 'default' }).service_tier, 'standard_only')
    assert.equal(bodyOf(OLD, { serviceTier: 'priority' }).service_tier, 'auto')
    assert.equal(bodyOf(OLD, { serviceTier: 'auto' }).service_tier, undefined)
    assert.deepEqual(lostOf(OLD, { serviceTier: 'flex' }), ['hint service_tier'])
    assert.deepEqual(bodyOf(OLD, { safetyIdentifier: 'u1' }).metadata, { user_id: 'u1' })
    assert.deepEqual(lostOf(OLD, { safetyIdentifier: 'u'.repeat(300) }), ['hint safety_identifier'])
    assert.deepEqual(lostOf(OLD, { text: { format: { type: 'text' }, verbosity: 'low' } }), ['hint text.verbosity'])
  })

  it('every field of a turn has its place in the table', () => {
    const table = fieldTable(optionsFor(OLD, null))
    assert.equal(table.top_logprobs, 'refused')
    assert.equal(table['tool_choice.allowed_tools'], 'emulated')
    assert.deepEqual(fieldTable(optionsFor(NEW, null)).temperature, 'refused')
  })
})
