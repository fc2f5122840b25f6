import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkGeminiSchema } from '../../../test/fakes/gemini-schema-rules.ts'
import { encodeSchema } from './encode-schema.ts'

type Schema = Readonly<Record<string, unknown>>
const must = (described: Schema) => `Must also be valid against this JSON Schema: ${JSON.stringify(described)}`

const KEPT: readonly (readonly [string, Schema])[] = [
  [
    'a plain object',
    {
      type: 'object',
      properties: { a: { type: 'string', description: 'd' } },
      required: ['a'],
      additionalProperties: false,
    },
  ],
  ['types in a list', { type: ['string', 'null'] }],
  [
    'lists with bounds',
    { type: 'array', items: { type: 'integer', minimum: 1, maximum: 9 }, minItems: 1, maxItems: 3 },
  ],
  ['references and definitions', { $defs: { a: { type: 'string' } }, properties: { x: { $ref: '#/$defs/a' } } }],
  [
    'choices',
    {
      anyOf: [
        { type: 'string', enum: ['a', 'b'] },
        { type: 'integer', enum: [1, 2] },
      ],
    },
  ],
  ['an open object', { type: 'object', additionalProperties: { type: 'number', format: 'double' } }],
  ['tuples', { prefixItems: [{ type: 'string' }, {}] }],
]

const REWRITTEN: readonly (readonly [string, Schema, Schema])[] = [
  [
    'annotations away',
    { $schema: 'x', $comment: 'c', default: 1, examples: [1], deprecated: true, 'x-own': 1, type: 'integer' },
    { type: 'integer' },
  ],
  ['a constant as a list of one', { const: 'a' }, { enum: ['a'] }],
  ['a null as a type', { const: null }, { type: 'null' }],
  [
    'a nullable list of values as a choice',
    { type: ['string', 'null'], enum: ['a', null] },
    { anyOf: [{ enum: ['a'] }, { type: 'null' }] },
  ],
  ['both booleans as a type', { enum: [true, false] }, { type: 'boolean' }],
  ['oneOf as anyOf', { oneOf: [{ type: 'string' }, true] }, { anyOf: [{ type: 'string' }, {}] }],
  [
    'definitions under their new name',
    { definitions: { a: {} }, properties: { x: { $ref: '#/definitions/a' } } },
    { $defs: { a: {} }, properties: { x: { $ref: '#/$defs/a' } } },
  ],
  [
    'what stands beside a reference around it',
    { $ref: '#/$defs/a', description: 'd' },
    { description: 'd', anyOf: [{ $ref: '#/$defs/a' }] },
  ],
  [
    'allOf folded',
    {
      allOf: [
        { type: 'object', properties: { a: {} } },
        { properties: { b: {} }, required: ['b'] },
      ],
    },
    { type: 'object', properties: { a: {}, b: {} }, required: ['b'] },
  ],
  [
    'open bounds of whole numbers closed',
    { type: 'integer', exclusiveMinimum: 0, exclusiveMaximum: 9.5, minimum: -3 },
    { type: 'integer', minimum: 1, maximum: 9 },
  ],
  ['lists of schemas as tuples', { items: [{ type: 'string' }] }, { prefixItems: [{ type: 'string' }] }],
  ['what bounds nothing away', { type: 'array', uniqueItems: false, items: true }, { type: 'array' }],
]

const LOST: readonly (readonly [string, Schema, readonly string[], Schema])[] = [
  [
    'a pattern',
    { type: 'string', pattern: '^a' },
    ['pattern'],
    { type: 'string', description: must({ pattern: '^a' }) },
  ],
  [
    'bounds deep inside, by their path, behind what was said',
    { properties: { a: { items: { minLength: 2, maxLength: 3, description: 'Two.' } } } },
    ['properties.a.items.minLength', 'properties.a.items.maxLength'],
    { properties: { a: { items: { description: `Two.\n${must({ minLength: 2, maxLength: 3 })}` } } } },
  ],
  ['an unknown format', { format: 'email' }, ['format'], { description: must({ format: 'email' }) }],
  [
    'an open bound of any number',
    { type: 'number', exclusiveMinimum: 0 },
    ['exclusiveMinimum'],
    { type: 'number', minimum: 0, description: must({ exclusiveMinimum: 0 }) },
  ],
  ['one boolean', { const: true }, ['const'], { type: 'boolean', description: must({ const: [true] }) }],
  [
    'conditions',
    { if: {}, else: {}, not: {} },
    ['if', 'else', 'not'],
    { description: must({ if: {}, else: {}, not: {} }) },
  ],
  [
    'what nothing is valid against',
    { properties: { a: false } },
    ['properties.a'],
    { properties: { a: { description: 'No value is valid here.' } } },
  ],
  [
    'a second choice beside the first',
    { anyOf: [{}], oneOf: [{}] },
    ['oneOf'],
    { anyOf: [{}], description: must({ oneOf: [{}] }) },
  ],
  [
    'two references folded into one',
    { allOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/b' }] },
    ['allOf'],
    { description: must({ allOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/b' }] }), anyOf: [{ $ref: '#/$defs/a' }] },
  ],
]

describe('JSON Schema as Gemini knows it', () => {
  for (const [title, schema] of KEPT) {
    it(`keeps ${title}`, () => assert.deepEqual(encodeSchema(schema), { schema, lost: [] }))
  }
  for (const [title, schema, expected] of REWRITTEN) {
    it(`writes ${title}`, () => assert.deepEqual(encodeSchema(schema), { schema: expected, lost: [] }))
  }
  for (const [title, schema, lost, expected] of LOST) {
    it(`says in words, and names, ${title}`, () => assert.deepEqual(encodeSchema(schema), { schema: expected, lost }))
  }

  it('makes nothing that a strict server refuses', () => {
    for (const [title, schema] of [...KEPT, ...REWRITTEN, ...LOST]) {
      assert.equal(checkGeminiSchema(encodeSchema(schema).schema, 'schema'), null, title)
    }
  })

  it('keeps properties whatever they are called', () => {
    const properties = JSON.parse(
      '{"__proto__":{"type":"string"},"pattern":{"type":"string"},"$ref":{"type":"string"}}',
    )
    const { schema, lost } = encodeSchema({ properties })
    assert.deepEqual(Object.keys(schema.properties ?? {}), ['__proto__', 'pattern', '$ref'])
    assert.deepEqual(lost, [])
  })
})
