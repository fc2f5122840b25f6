import assert from 'node:assert/strict'
import test from 'node:test'
import { ApiError } from './errors.ts'
import { checkStrictSchema, checkUserSchema, isStrictCompatible, STRICT_LIMITS } from './strict-schema.ts'
import { USER_SCHEMA_LIMITS } from './user-schema.ts'

type Json = Record<string, unknown>
const FORMAT = { param: 'text.format.schema', name: 'answer', kind: 'response_format' } as const
const FUNCTION = { param: 'tools[0].parameters', name: 'find', kind: 'function' } as const

const object = (properties: Json, extra: Json = {}): Json => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...extra,
})

function refusal(check: () => void): ApiError {
  try {
    check()
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
  return assert.fail('expected a refusal')
}
const strictRefusal = (schema: Json) => refusal(() => checkStrictSchema(schema, FORMAT))
const problem = (schema: Json) =>
  strictRefusal(schema).message.replace("Invalid schema for response_format 'answer': ", '')

test('an open object is refused with the documented text, code and path (req 34)', () => {
  const error = strictRefusal({ type: 'object', properties: {}, required: [] })
  assert.deepEqual(error.toBody().error, {
    message:
      "Invalid schema for response_format 'answer': In context=(), 'additionalProperties' is required to be supplied and to be false.",
    type: 'invalid_request_error',
    param: 'text.format.schema',
    code: 'invalid_json_schema',
  })
})

test('a function is refused under its own code and path (req 34)', () => {
  const error = refusal(() => checkStrictSchema({ type: 'object' }, FUNCTION))
  assert.equal(error.code, 'invalid_function_parameters')
  assert.equal(error.param, 'tools[0].parameters')
  assert.match(error.message, /^Invalid schema for function 'find': In context=\(\), /)
})

test('the place of a nested problem is named as a tuple', () => {
  const schema = object({ list: { type: 'array', items: { anyOf: [{ type: 'object' }, { type: 'null' }] } } })
  assert.match(problem(schema), /^In context=\('properties', 'list', 'items', 'anyOf', '0'\), 'additionalProperties'/)
})

test('each way out of the strict subset is named', () => {
  const cases: [Json, RegExp][] = [
    [{}, /'type: "object"', got 'type: "None"'/],
    [{ type: 'array', items: {} }, /got 'type: "array"'/],
    [object({}, { anyOf: [] }), /'anyOf' is not permitted at the root/],
    [object({ a: { type: 'string' } }, { required: [] }), /'required' .* Missing 'a'\./],
    [object({ a: { type: 'string' } }, { required: ['a', 'b'] }), /Extra required key 'b' supplied\./],
    [object({ a: {} }), /In context=\('properties', 'a'\), schema must have a 'type' key\./],
    [object({ a: { type: 'array' } }), /array schema missing items\./],
    [object({ a: { allOf: [] } }), /'allOf' is not permitted\./],
    [object({ a: { type: 'string', not: {} } }), /'not' is not permitted\./],
    [object({ a: true }), /expected a JSON Schema object, but got a boolean\./],
    [object({ a: { type: 'string', enum: [] } }), /'enum' must be a non-empty array\./],
    [object({ a: { $ref: '#/$defs/b' } }), /reference to component '#\/\$defs\/b' which was not found/],
    [object({ a: { $ref: 'https://example.com/s.json' } }), /'\$ref' must point inside the schema/],
  ]
  for (const [schema, expected] of cases) assert.match(problem(schema), expected)
})

test('references, recursion, unions, formats and ranges are inside the strict subset', () => {
  const schema = object(
    {
      name: { type: ['string', 'null'], pattern: '^a', description: 'd' },
      day: { type: 'string', format: 'date' },
      count: { type: 'integer', minimum: 1, exclusiveMaximum: 9, multipleOf: 2 },
      kind: { enum: ['a', 'b'] },
      one: { const: 1 },
      list: { type: 'array', items: { $ref: '#/$defs/node' }, minItems: 1, maxItems: 3 },
      self: { anyOf: [{ $ref: '#' }, { type: 'null' }] },
    },
    { $defs: { node: object({ next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } }) } },
  )
  checkStrictSchema(schema, FORMAT)
  assert.equal(isStrictCompatible(schema), true)
  assert.equal(isStrictCompatible({ type: 'object', properties: { a: { type: 'string' } } }), false)
})

test('the limits of the strict subset hold exactly', () => {
  const nested = (levels: number): Json => (levels === 1 ? object({}) : object({ a: nested(levels - 1) }))
  const wide = (count: number) =>
    object(Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, { type: 'null' }])))
  const enumOf = (count: number, chars: number) =>
    object({ a: { type: 'string', enum: Array.from({ length: count }, () => 'x'.repeat(chars)) } })
  checkStrictSchema(nested(STRICT_LIMITS.levels), FORMAT)
  assert.match(problem(nested(STRICT_LIMITS.levels + 1)), /11 levels of nesting exceeds limit of 10\./)
  assert.match(problem(enumOf(STRICT_LIMITS.enumValues + 1, 1)), /1001 enum values exceeds limit of 1000\./)
  assert.match(problem(enumOf(300, 51)), /15300 characters of enum values exceeds limit of 15000/)
  checkStrictSchema(enumOf(250, 100), FORMAT)
  checkStrictSchema(wide(2_000), FORMAT)
  assert.match(problem(wide(5_001)), /5001 object properties exceeds limit of 5000\./)
})

test('every schema is bounded in size and depth, and may not refer to another document', () => {
  const refused = (schema: Json) => refusal(() => checkUserSchema(schema, FUNCTION)).message
  const deep = (levels: number): Json => (levels === 0 ? {} : { items: deep(levels - 1) })
  checkUserSchema(deep(USER_SCHEMA_LIMITS.depth - 1), FUNCTION)
  assert.match(refused(deep(USER_SCHEMA_LIMITS.depth)), /exceeds limit of 48 levels of JSON/)
  assert.match(
    refused({ description: 'x'.repeat(USER_SCHEMA_LIMITS.functionChars) }),
    /exceeds limit of 65536 characters/,
  )
  assert.match(refused({ properties: { default: { $ref: 'file:///etc/passwd' } } }), /'\$ref' must point inside/)
})

test('a property, a constant or an example may be called $ref', () => {
  const schema = { properties: { $ref: { type: 'string', const: 'x' } }, examples: [{ $ref: 'https://example.com' }] }
  checkUserSchema(schema, FUNCTION)
})
