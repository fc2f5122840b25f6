import assert from 'node:assert/strict'
import { test } from 'node:test'
import { collect, createScriptedModel, finish } from '../../test/support/decorated-models.ts'
import { TURN_FIELDS, type TurnField } from '../lib/field-support.ts'
import type { FieldTable, ModelTurn } from './model.ts'
import { infoOfFields, ledgerOf, overrideFields } from './overridden-fields.ts'
import { PLAIN_TURN } from './plain-turn.ts'
import { isAsked, withoutField } from './turn-fields.ts'

const content = [
  { type: 'input_text', text: 'hi' },
  { type: 'input_image', image_url: 'data:image/png;base64,', detail: 'auto' },
  { type: 'input_image', image_url: 'https://example.com/a.png', detail: 'auto' },
  { type: 'input_file', file_data: 'data:application/pdf;base64,' },
  { type: 'input_file', file_url: 'https://example.com/a.pdf' },
] as const
/** Everything that can be asked for. */
const FULL: ModelTurn = {
  ...PLAIN_TURN,
  instructions: 'x',
  items: [{ id: 'msg_1', type: 'message', status: 'completed', role: 'user', content: [...content] }],
  tools: [
    { type: 'function', name: 'f', description: null, parameters: null, strict: true },
    { type: 'custom', name: 'c', description: null, format: { type: 'text' } },
  ],
  toolChoice: { mode: 'required', allowed: ['f'] },
  parallelToolCalls: false,
  text: { format: { type: 'json_object' }, verbosity: 'low' },
  reasoning: { effort: 'high', summary: 'auto' },
  temperature: 0,
  topP: 0.5,
  presencePenalty: 1,
  frequencyPenalty: 1,
  topLogprobs: 0,
  maxOutputTokens: 10,
  stop: ['x'],
  serviceTier: 'flex',
  promptCacheKey: 'k',
  promptCacheRetention: '24h',
  safetyIdentifier: 's',
}
const WITH_SCHEMA: ModelTurn = {
  ...FULL,
  text: { ...FULL.text, format: { type: 'json_schema', name: 'n', schema: {}, strict: true } },
}
/** What was said stays said, and what lies in content is the adapter's business. */
const STAYS: ReadonlySet<TurnField> = new Set([
  'instructions',
  'input.image',
  'input.image_url',
  'input.file',
  'input.file_url',
  'prompt_cache_breakpoint',
])
const askingFor = (field: TurnField) => (field === 'text.format.json_schema' ? WITH_SCHEMA : FULL)

test('every field is asked for by a turn that has it, and by no plain turn; without it, it is plain', () => {
  for (const field of TURN_FIELDS) {
    assert.equal(isAsked(field, PLAIN_TURN), false, field)
    if (field !== 'prompt_cache_breakpoint') assert.equal(isAsked(field, askingFor(field)), true, field)
    if (!STAYS.has(field)) assert.equal(isAsked(field, withoutField(field, askingFor(field))), false, field)
  }
})

test('a field that is ignored or refused is kept from the provider, and reported by its weight', async () => {
  const inner = createScriptedModel([[[finish()]]])
  const model = overrideFields(inner, { top_p: 'ignored', stop: 'refused', temperature: 'native' })
  assert.deepEqual(model.notCarried?.(FULL), [
    { param: 'top_p', weight: 'hint' },
    { param: 'stop', weight: 'meaning' },
  ])
  assert.deepEqual(model.notCarried?.(PLAIN_TURN), [])
  await collect(model, FULL)
  const [seen] = inner.calls
  assert.deepEqual([seen?.topP, seen?.stop, seen?.temperature], [null, null, 0])
})

test('what is said of a capability is what the adapter is opened with', () => {
  assert.deepEqual(infoOfFields({ 'input.image': 'refused', top_logprobs: 'native', 'tools.function': 'emulated' }), {
    imageInput: false,
    functionTools: false,
    logprobs: true,
  })
})

test('a ledger has every field, and what the model cannot do at all is refused', () => {
  const fields: FieldTable = { stop: 'emulated' }
  const ledger = ledgerOf({ ...createScriptedModel([], { imageInput: false }), fields })
  assert.deepEqual(Object.keys(ledger), [...TURN_FIELDS])
  assert.deepEqual([ledger.stop, ledger['input.image'], ledger['input.file']], ['emulated', 'refused', 'native'])
})
