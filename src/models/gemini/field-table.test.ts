import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { GEMINI_TURN } from '../../../test/fakes/gemini-fixtures.ts'
import { inputMessage } from '../../../test/support/turn-items.ts'
import { TURN_FIELDS } from '../../lib/field-support.ts'
import type { ModelTurn } from '../model.ts'
import { fieldTable, notCarried } from './field-table.ts'

const API = { vertex: false }
const lost = (turn: Partial<ModelTurn>, dialect = API) =>
  notCarried({ ...GEMINI_TURN, ...turn }, dialect).map(({ param, weight }) => `${weight} ${param}`)
const format = (strict: boolean): ModelTurn['text'] => ({
  format: { type: 'json_schema', name: 'n', strict, schema: { properties: { a: { pattern: '^a' } } } },
  verbosity: 'medium',
})
const tools: ModelTurn['tools'] = [
  {
    type: 'function',
    name: 'f',
    description: null,
    parameters: { properties: { a: { minLength: 1 } } },
    strict: false,
  },
]

const CASES: readonly (readonly [string, Partial<ModelTurn>, readonly string[]])[] = [
  ['a plain turn loses nothing', {}, []],
  [
    'what no request of Gemini has',
    {
      text: { format: { type: 'text' }, verbosity: 'low' },
      promptCacheKey: 'k',
      promptCacheRetention: '24h',
      safetyIdentifier: 'u',
    },
    ['hint text.verbosity', 'hint prompt_cache_key', 'hint prompt_cache_retention', 'hint safety_identifier'],
  ],
  ['an effort that is only near', { reasoning: { effort: 'xhigh', summary: null } }, ['hint reasoning.effort']],
  [
    'no effort at all for a model that always thinks',
    { reasoning: { effort: 'none', summary: null } },
    ['hint reasoning.effort'],
  ],
  [
    'no effort at all for a model that never does',
    { model: 'gemini-2.0-flash', reasoning: { effort: 'none', summary: null } },
    [],
  ],
  [
    'thoughts of a model that has none',
    { model: 'gemini-2.0-flash', reasoning: { effort: 'low', summary: 'auto' } },
    ['hint reasoning.effort', 'hint reasoning.summary'],
  ],
  ['a known effort', { reasoning: { effort: 'high', summary: 'auto' } }, []],
  ['tiers of others', { serviceTier: 'scale' }, ['hint service_tier']],
  ['its own tiers', { serviceTier: 'flex' }, []],
  [
    'a keyword of a strict schema',
    { text: format(true) },
    ['meaning text.format.schema.properties.a.pattern', 'meaning text.format'],
  ],
  ['a keyword of a schema that is a wish', { text: format(false) }, ['hint text.format.schema.properties.a.pattern']],
  ['a keyword of a tool', { tools }, ['hint tools.f.parameters.properties.a.minLength']],
  [
    'a format beside tools, for an older model',
    { model: 'gemini-2.5-pro', text: format(false), tools: [] },
    ['hint text.format.schema.properties.a.pattern'],
  ],
]

describe('what Gemini is not shown', () => {
  for (const [title, turn, expected] of CASES) it(title, () => assert.deepEqual(lost(turn), expected))

  it('a format is not carried beside tools by an older model', () => {
    assert.ok(lost({ model: 'gemini-2.5-pro', text: format(false), tools }).includes('meaning text.format'))
    assert.ok(!lost({ text: format(false), tools }).includes('meaning text.format'))
  })

  it('a turn that has no form is refused', () => {
    const image = { type: 'input_image', file_id: 'file_1', detail: 'auto' } as const
    assert.throws(() => lost({ items: [inputMessage('user', image)] }), /file_id/)
  })

  it('Vertex AI has its tiers elsewhere', () => {
    assert.deepEqual(lost({ serviceTier: 'flex' }, { vertex: true }), ['hint service_tier'])
  })

  it('the table has a word for every field', () => {
    assert.deepEqual(Object.keys(fieldTable(API)).sort(), [...TURN_FIELDS].sort())
  })
})
