import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ModelTurn } from '../model.ts'
import { ask, called, turn, user } from './turns.contract.ts'

const object = (properties: object) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
})
const asking = (asked: string | ModelTurn['items'], schema: Record<string, unknown>): ModelTurn =>
  turn(asked, {
    text: { format: { type: 'json_schema', name: 'it', schema, strict: true }, verbosity: 'medium' },
  })
const string = { type: 'string' }

test('a schema is filled with what the conversation says, and with plain values where it says nothing', async () => {
  const person = object({ name: string, age: { type: 'integer' } })
  for (const [asked, schema, value] of [
    ['Invent a person.', person, { name: 'example name', age: 1 }],
    [
      'Extract: Ada Lovelace is 36 years old and lives in London.',
      object({ name: string, age: { type: 'integer' }, city: string }),
      { name: 'Ada Lovelace', age: 36, city: 'London' },
    ],
    [
      'Alice and Bob are going to a fair on Friday.',
      object({ date: string, participants: { type: 'array', items: string } }),
      { date: 'Friday', participants: ['Alice', 'Bob'] },
    ],
    ['What is the capital of France?', object({ answer: string }), { answer: 'Paris' }],
    ['What is 6 * 7?', object({ answer: { type: 'integer' } }), { answer: 42 }],
    ['I feel great!', object({ mood: { enum: ['bad', 'great'] } }), { mood: 'great' }],
  ] as const) {
    assert.deepEqual(JSON.parse((await ask(asking(asked, schema))).text), value, asked)
  }
})

test('values that look like markup arrive byte for byte', async () => {
  const note = '<think>kept</think> <|channel|>final <tool_call>literal</tool_call>'
  const { text, events } = await ask(asking('Return the object the schema wants.', object({ note: { enum: [note] } })))
  assert.deepEqual(JSON.parse(text), { note })
  assert.ok(events.filter(({ type }) => type === 'text-delta').length > 3)
})

test('what tools answered fills the schema too', async () => {
  const items = [
    user('Weather in Paris?'),
    ...called('get_weather', { city: 'Paris' }, '{"temp_c": 18, "sky": "rain"}'),
  ]
  const schema = object({ city: string, temp_c: { type: 'number' }, sky: string })
  assert.deepEqual(JSON.parse((await ask(asking(items, schema))).text), { city: 'Paris', temp_c: 18, sky: 'rain' })
})

test('a free JSON object echoes the question, or has the keys that were asked for', async () => {
  const free = { text: { format: { type: 'json_object' }, verbosity: 'medium' } } as const
  const echo = JSON.parse((await ask(turn('What is 2 + 2?', free))).text)
  assert.deepEqual(echo, { answer: '2 + 2 = 4.', question: 'What is 2 + 2?', model: 'demo' })
  const keyed = JSON.parse(
    (await ask(turn('Return a JSON object with keys "name" (a string) and "age" (a number).', free))).text,
  )
  assert.deepEqual(Object.keys(keyed), ['name', 'age'])
  assert.equal(typeof keyed.name, 'string')
  assert.equal(typeof keyed.age, 'number')
  assert.equal((await ask(turn('Reply with this JSON: {"ok": true}', free))).text, '{"ok": true}')
})

test('plain words can ask for JSON too', async () => {
  const { text } = await ask('Respond with a JSON object with fields name and age: Ada is 36 years old.')
  assert.deepEqual(JSON.parse(text), { name: 'Ada', age: 36 })
  assert.match((await ask('What is JSON?')).text, /demo model/)
})
