import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { GEMINI_TURN } from '../../../test/fakes/gemini-fixtures.ts'
import { validateGeminiRequest } from '../../../test/fakes/gemini-validate.ts'
import { inputMessage, inputText } from '../../../test/support/turn-items.ts'
import type { StoredPart } from '../../protocol/content.ts'
import type { ModelTurn, ToolDeclaration } from '../model.ts'
import { encodeRequest } from './encode-request.ts'

const API = { vertex: false }
const FLASH = 'gemini-2.5-flash'
const PRO = 'gemini-2.5-pro'
const encode = (turn: Partial<ModelTurn>, dialect = API) => encodeRequest({ ...GEMINI_TURN, ...turn }, dialect)
const config = (turn: Partial<ModelTurn>) => encode(turn).generationConfig
const tool = (name: string, strict = false): ToolDeclaration => ({
  type: 'function',
  name,
  description: null,
  parameters: { type: 'object', properties: { a: { type: 'string' } } },
  strict,
})
const tools = [tool('a'), tool('b')]
const schema = { type: 'object', properties: { a: { type: 'string', minLength: 1 } } }
const jsonSchema = { format: { type: 'json_schema', name: 'n', schema, strict: false }, verbosity: 'medium' } as const
const jsonObject = { format: { type: 'json_object' }, verbosity: 'medium' } as const
const image = (detail: 'low' | 'auto'): StoredPart => ({
  type: 'input_image',
  image_url: 'data:image/png;base64,AAAA',
  detail,
})

const CONFIGS: readonly (readonly [string, Partial<ModelTurn>, object | undefined])[] = [
  ['nothing that was not asked for', {}, undefined],
  [
    'sampling, limits and penalties',
    { temperature: 0, topP: 0.5, maxOutputTokens: 20, stop: ['x'], presencePenalty: 0.1, frequencyPenalty: -0.2 },
    {
      temperature: 0,
      topP: 0.5,
      maxOutputTokens: 20,
      stopSequences: ['x'],
      presencePenalty: 0.1,
      frequencyPenalty: -0.2,
    },
  ],
  ['log probabilities', { topLogprobs: 0 }, { responseLogprobs: true }],
  ['log probabilities with alternatives', { topLogprobs: 3 }, { responseLogprobs: true, logprobs: 3 }],
  ['no stop words', { stop: [] }, undefined],
  ['JSON of any form', { text: jsonObject }, { responseMimeType: 'application/json' }],
  [
    'JSON of a schema',
    { text: jsonSchema },
    {
      responseMimeType: 'application/json',
      responseJsonSchema: {
        type: 'object',
        properties: {
          a: { type: 'string', description: 'Must also be valid against this JSON Schema: {"minLength":1}' },
        },
      },
    },
  ],
  [
    'little detail where all images ask for it',
    { items: [inputMessage('user', image('low'))] },
    { mediaResolution: 'MEDIA_RESOLUTION_LOW' },
  ],
  ['full detail where one does not', { items: [inputMessage('user', image('low'), image('auto'))] }, undefined],
]

const THINKING: readonly (readonly [string, ModelTurn['reasoning'], object | undefined])[] = [
  ['gemini-3-flash-preview', { effort: 'minimal', summary: null }, { thinkingLevel: 'minimal' }],
  ['gemini-3-flash-preview', { effort: 'max', summary: 'auto' }, { thinkingLevel: 'high', includeThoughts: true }],
  ['gemini-3-flash-preview', { effort: 'none', summary: null }, { thinkingLevel: 'minimal' }],
  ['gemini-3-pro-preview', { effort: 'medium', summary: null }, { thinkingLevel: 'low' }],
  ['gemini-3.1-pro', { effort: 'medium', summary: null }, { thinkingLevel: 'medium' }],
  ['gemini-3-pro-preview', { effort: null, summary: 'detailed' }, { includeThoughts: true }],
  ['gemini-flash-latest', { effort: 'low', summary: null }, { thinkingLevel: 'low' }],
  [FLASH, { effort: 'none', summary: 'auto' }, { thinkingBudget: 0 }],
  [FLASH, { effort: 'medium', summary: 'auto' }, { thinkingBudget: 8192, includeThoughts: true }],
  ['gemini-2.5-flash-lite', { effort: 'xhigh', summary: null }, { thinkingBudget: 24_576 }],
  [PRO, { effort: 'none', summary: null }, { thinkingBudget: 1024 }],
  [PRO, { effort: 'xhigh', summary: null }, { thinkingBudget: 32_768 }],
  ['gemini-2.0-flash', { effort: 'high', summary: 'auto' }, undefined],
  ['models/gemini-2.5-pro', { effort: 'high', summary: null }, { thinkingBudget: 24_576 }],
]

const CHOICES: readonly (readonly [string, Partial<ModelTurn>, object | undefined])[] = [
  ['auto is left out', { tools }, undefined],
  ['none', { tools, toolChoice: { mode: 'none', allowed: null } }, { mode: 'NONE' }],
  ['required', { tools, toolChoice: { mode: 'required', allowed: null } }, { mode: 'ANY' }],
  [
    'one by name',
    { tools, toolChoice: { mode: 'required', allowed: ['b'] } },
    { mode: 'ANY', allowedFunctionNames: ['b'] },
  ],
  [
    'some, or none of them',
    { tools, toolChoice: { mode: 'auto', allowed: ['b'] } },
    { mode: 'VALIDATED', allowedFunctionNames: ['b'] },
  ],
  ['some that are not there', { tools, toolChoice: { mode: 'required', allowed: ['c'] } }, { mode: 'NONE' }],
  ['strict tools', { tools: [tool('a', true)] }, { mode: 'VALIDATED' }],
  ['strict tools for an older model', { tools: [tool('a', true)], model: 'gemini-2.0-flash' }, undefined],
]

describe('a turn as a request of Gemini', () => {
  for (const [title, turn, expected] of CONFIGS) it(`sends ${title}`, () => assert.deepEqual(config(turn), expected))

  for (const [model, reasoning, expected] of THINKING) {
    it(`has ${model} think as ${reasoning.effort}, summary ${reasoning.summary}`, () =>
      assert.deepEqual(config({ model, reasoning })?.thinkingConfig, expected))
  }

  for (const [title, turn, expected] of CHOICES) {
    it(`chooses tools: ${title}`, () => assert.deepEqual(encode(turn).toolConfig?.functionCallingConfig, expected))
  }

  it('filters the tools for a model that cannot be told which are allowed', () => {
    const { tools: sent } = encode({ tools, model: 'gemini-2.0-flash', toolChoice: { mode: 'auto', allowed: ['b'] } })
    assert.deepEqual(
      sent?.[0].functionDeclarations.map(({ name }) => name),
      ['b'],
    )
  })

  it('declares a function without parameters without a schema', () => {
    const bare: ToolDeclaration = {
      type: 'function',
      name: 'f',
      description: 'Does it.',
      parameters: { type: 'object', properties: {} },
      strict: false,
    }
    assert.deepEqual(encode({ tools: [bare] }).tools, [
      { functionDeclarations: [{ name: 'f', description: 'Does it.' }] },
    ])
    const custom: ToolDeclaration = { type: 'custom', name: 'c', description: null, format: { type: 'text' } }
    assert.throws(() => encode({ tools: [custom] }), /no custom tools, and 'c' is one/)
  })

  it('tells an older model the format in words where it takes none beside tools', () => {
    const { generationConfig, systemInstruction } = encode({
      model: FLASH,
      tools,
      text: jsonSchema,
      instructions: 'Be nice.',
    })
    assert.equal(generationConfig, undefined)
    assert.match(systemInstruction?.parts[0]?.text ?? '', /^Be nice\.\n\n.*JSON Schema:\n\{"type":"object"/s)
  })

  it('names the service tier, except at Vertex AI', () => {
    assert.equal(encode({ serviceTier: 'flex' }).serviceTier, 'flex')
    for (const serviceTier of ['auto', 'default', 'scale', null])
      assert.equal(encode({ serviceTier }).serviceTier, undefined)
    assert.equal(encode({ serviceTier: 'flex' }, { vertex: true }).serviceTier, undefined)
  })

  it('makes nothing that a strict server refuses', () => {
    for (const model of [GEMINI_TURN.model, FLASH]) {
      for (const [title, turn] of [...CONFIGS, ...CHOICES.filter(([, turn]) => turn.model === undefined)]) {
        const items = turn.items ?? [inputMessage('user', inputText('Hi'))]
        const body = JSON.parse(JSON.stringify(encode({ ...turn, items, model })))
        assert.equal(validateGeminiRequest(body, model), null, title)
      }
    }
  })
})
