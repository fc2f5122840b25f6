import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { cpuMs } from '../../test/support/cpu-time.ts'
import { satisfiesSchema } from './check-schema.ts'
import { fillSchema } from './fill-schema.ts'
import { formatExamples, matchesFormat } from './schema-format.ts'

const newAjv = () => new Ajv2020({ strict: false, validateFormats: false })

function assertValid(schema: object | boolean, value: unknown): void {
  const ajv = newAjv()
  const isValid = ajv.validate(schema, value)
  assert.ok(isValid, `${JSON.stringify(schema)}\ngave ${JSON.stringify(value)}\n${ajv.errorsText()}`)
}

const person = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer' }, nick: { type: ['string', 'null'] } },
  required: ['name', 'age'],
  additionalProperties: false,
}

const CASES: readonly object[] = [
  {},
  person,
  { const: { a: [1, null] } },
  { enum: ['<think>kept</think> </tool_call>', 'b'] },
  { type: 'string', pattern: '^[A-Z]{3}-\\d{4}$' },
  { type: 'string', minLength: 300 },
  { type: 'string', minLength: 2, maxLength: 2 },
  { type: 'integer', exclusiveMinimum: 3, exclusiveMaximum: 5 },
  { type: 'number', multipleOf: 0.1, minimum: 0.25 },
  { type: 'integer', multipleOf: 7, minimum: 50, maximum: 60 },
  { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 },
  { type: 'array', items: { type: 'integer' }, minItems: 30, uniqueItems: true },
  { type: 'array', items: { enum: ['a', 'b', 'c'] }, minItems: 3, uniqueItems: true },
  { type: 'array', items: { type: 'string', pattern: '^[a-z]+$' }, minItems: 5, uniqueItems: true },
  { type: 'array', prefixItems: [{ type: 'string' }, { type: 'integer' }], items: false },
  { type: 'array', contains: { const: 5 }, minItems: 2, items: { type: 'integer' } },
  { type: 'object', minProperties: 3, additionalProperties: { type: 'integer' } },
  { type: 'object', patternProperties: { '^x-': { type: 'string' } }, additionalProperties: false, minProperties: 2 },
  { type: 'object', propertyNames: { pattern: '^[A-Z]+$' }, minProperties: 2 },
  { anyOf: [{ type: 'string', maxLength: 0, minLength: 1 }, { type: 'integer' }] },
  { oneOf: [{ type: 'integer' }, { type: 'number', minimum: 10 }] },
  {
    allOf: [
      { type: 'object', properties: { a: { type: 'integer', minimum: 5 } } },
      { required: ['a'], properties: { a: { maximum: 5 } } },
    ],
  },
  { type: 'string', not: { enum: ['example', 'text'] } },
  {
    type: 'object',
    properties: { kind: { enum: ['a', 'b'] } },
    required: ['kind'],
    if: { properties: { kind: { const: 'a' } } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { required: ['x'] },
    else: { required: ['y'] },
  },
  {
    type: 'object',
    required: ['card'],
    properties: { card: { type: 'string' }, address: { type: 'string' } },
    dependentRequired: { card: ['address'] },
  },
  {
    $ref: '#/$defs/node',
    $defs: {
      node: {
        type: 'object',
        properties: { value: { type: 'integer' }, next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } },
        required: ['value', 'next'],
        additionalProperties: false,
      },
    },
  },
  {
    type: 'object',
    properties: { name: { type: 'string' }, children: { type: 'array', items: { $ref: '#' } } },
    required: ['name', 'children'],
    additionalProperties: false,
  },
  {
    anyOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/b' }],
    $defs: {
      a: { type: 'object', properties: { type: { const: 'a' }, b: { $ref: '#/$defs/b' } }, required: ['type', 'b'] },
      b: {
        type: 'object',
        properties: { type: { const: 'b' }, a: { anyOf: [{ type: 'null' }, { $ref: '#/$defs/a' }] } },
        required: ['type', 'a'],
      },
    },
  },
  {
    type: 'object',
    properties: JSON.parse('{"__proto__": {"type": "integer"}, "constructor": {"type": "string"}}'),
    required: ['__proto__', 'constructor'],
  },
  { type: ['null', 'integer'], minimum: 4 },
  { type: 'string', pattern: '^(?=.*[A-Z])(?=.*\\d).{10,}$' },
]

test('an instance of each kind of schema is valid', () => {
  for (const schema of CASES) assertValid(schema, fillSchema(schema))
})

test('the built-in check agrees with a full validator on the cases and on odd values', () => {
  const values = [null, 1, 1.5, 'a', 'ABC-1234', [], [5, 5], ['a', 1], { name: 'Ada', age: 1 }, { kind: 'a', x: 1 }, {}]
  for (const schema of CASES) {
    const validate = newAjv().compile(schema)
    for (const value of [...values, fillSchema(schema)]) {
      assert.equal(
        satisfiesSchema(schema, value),
        validate(value),
        `${JSON.stringify(schema)} ${JSON.stringify(value)}`,
      )
    }
  }
})

test('each format gives texts that satisfy it', () => {
  for (const format of [
    'date',
    'time',
    'date-time',
    'duration',
    'email',
    'hostname',
    'ipv4',
    'ipv6',
    'uri',
    'uuid',
    'uri-reference',
    'json-pointer',
    'regex',
  ]) {
    assert.ok(formatExamples(format).length > 0, format)
    for (const example of formatExamples(format)) assert.ok(matchesFormat(format, example), `${format} ${example}`)
    assert.ok(matchesFormat(format, String(fillSchema({ type: 'string', format }))))
  }
  for (const [format, wrong] of [
    ['date', '2025-02-30'],
    ['time', '25:00:00Z'],
    ['email', 'ada'],
    ['ipv4', '1.2.3.256'],
    ['ipv6', 'g::1'],
    ['uri', 'no scheme'],
    ['uuid', '1-2'],
  ] as const) {
    assert.ok(!matchesFormat(format, wrong), `${format} ${wrong}`)
  }
})

test('hints are used where they fit, whatever the spelling of the name, and ignored where they do not', () => {
  const hints = new Map<string, unknown>([
    ['name', 'Ada'],
    ['AGE', '36'],
    ['party_size', 4],
    ['tags', ['a', 'b']],
    ['unit', 'kelvin'],
  ])
  assert.deepEqual(fillSchema(person, hints), { name: 'Ada', age: 36 })
  assert.deepEqual(
    fillSchema(
      {
        type: 'object',
        properties: {
          partySize: { type: 'integer' },
          tags: { type: 'array', items: { type: 'string' } },
          unit: { enum: ['celsius'] },
        },
        required: ['unit'],
      },
      hints,
    ),
    { partySize: 4, tags: ['a', 'b'], unit: 'celsius' },
  )
  assert.deepEqual(
    fillSchema(
      { type: 'object', properties: { people: { type: 'array', items: person } }, required: ['people'] },
      hints,
    ),
    { people: [{ name: 'Ada', age: 36 }] },
  )
})

test('the same schema gives the same bytes', () => {
  for (const schema of CASES) assert.equal(JSON.stringify(fillSchema(schema)), JSON.stringify(fillSchema(schema)))
})

test('a schema nothing satisfies, a reference to nowhere and endless recursion end', () => {
  for (const schema of [
    false,
    { type: 'integer', minimum: 5, maximum: 4 },
    { $ref: '#/nowhere' },
    { $ref: 'https://example.com/schema.json' },
    { $ref: '#' },
    { type: 'object', properties: { next: { $ref: '#' } }, required: ['next'] },
    'not a schema',
  ]) {
    fillSchema(schema)
  }
})

test('a schema that would explode is answered in bounded time', () => {
  const names = Array.from({ length: 12 }, (_, index) => `t${index}`)
  const properties = Object.fromEntries(
    names.map((name) => [name, { anyOf: [{ $ref: `#/$defs/${name}` }, { type: 'null' }] }]),
  )
  const $defs = Object.fromEntries(
    names.map((name) => [name, { type: 'object', properties, required: names, not: { required: ['none'] } }]),
  )
  const started = cpuMs()
  fillSchema({ $ref: '#/$defs/t0', $defs })
  fillSchema({ type: 'string', pattern: '^(a+)+$', minLength: 50_000 })
  fillSchema({ type: 'array', items: { type: 'integer' }, minItems: 1e9 })
  assert.ok(cpuMs() - started < 15_000, `${cpuMs() - started} ms`)
})

test('random schemas get a valid instance', () => {
  fc.assert(
    fc.property(schemas.schema, (schema) => assertValid(schema, fillSchema(schema))),
    { numRuns: 400 },
  )
})

const bounds = (min: string, max: string, limit: number) =>
  fc
    .tuple(fc.nat(limit), fc.nat(limit))
    .chain(([a, b]) =>
      fc.record({ [min]: fc.constant(Math.min(a, b)), [max]: fc.constant(Math.max(a, b)) }, { requiredKeys: [] }),
    )

/** Schemas something satisfies: each keyword is drawn so that it leaves room. */
const schemas = fc.letrec<{ schema: object; object: object; array: object; choice: object }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'schema' },
    fc
      .record({ type: fc.constant('string'), length: bounds('minLength', 'maxLength', 40) })
      .map(({ type, length }) => ({ type, ...length })),
    fc
      .record({ type: fc.constantFrom('integer', 'number'), range: bounds('minimum', 'maximum', 100) })
      .map(({ type, range }) => ({ type, ...range })),
    fc.record({
      type: fc.constant('integer'),
      multipleOf: fc.integer({ min: 1, max: 12 }),
      minimum: fc.integer({ min: -100, max: 100 }),
    }),
    fc.record({
      enum: fc.uniqueArray(fc.oneof(fc.string(), fc.integer(), fc.boolean()), { minLength: 1, maxLength: 4 }),
    }),
    fc.constantFrom<object>(
      { type: 'boolean' },
      { type: 'null' },
      { type: ['string', 'null'] },
      {},
      { type: 'string', pattern: '^[A-Z]{2}\\d+$' },
      { const: 'fixed' },
    ),
    tie('object'),
    tie('array'),
    tie('choice'),
  ),
  object: fc
    .tuple(
      fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), tie('schema'), { maxKeys: 4 }),
      fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
      fc.boolean(),
    )
    .map(([properties, picks, isClosed]) => ({
      type: 'object',
      properties,
      required: Object.keys(properties).filter((_, index) => picks[index]),
      ...(isClosed && { additionalProperties: false }),
    })),
  array: fc
    .tuple(tie('schema'), bounds('minItems', 'maxItems', 4), fc.boolean())
    .map(([items, length, isUnique]) =>
      isUnique && 'minLength' in items === false
        ? { type: 'array', items: { type: 'integer' }, uniqueItems: true, ...length }
        : { type: 'array', items, ...length },
    ),
  choice: fc.oneof(
    fc.record({ anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ allOf: fc.tuple(tie('object')) }),
    fc.tuple(tie('object'), tie('array')).map(([a, b]) => ({ oneOf: [a, b, { type: 'null' }] })),
  ),
}))
