import assert from 'node:assert/strict'
import test from 'node:test'
import TypeBox from 'typebox'
import { Type } from './schema.ts'

type Builders = typeof Type

/** The same schemas by either set of builders. */
const build = (T: Builders) => ({
  texts: [T.String(), T.String({ minLength: 1, maxLength: 2, pattern: '^a' })],
  numbers: [T.Number(), T.Number({ minimum: -2, maximum: 2 }), T.Integer(), T.Integer({ minimum: 0 })],
  fixed: [T.Literal('a'), T.Literal(true), T.Null(), T.Boolean(), T.Never()],
  lists: [T.Array(T.String()), T.Array(T.Null(), { minItems: 1, maxItems: 2 })],
  unions: [T.Union([T.String(), T.Null()]), T.Union([T.Literal('a'), T.Literal('b')], { title: 'Both' })],
  objects: [
    T.Object({}),
    T.Object({ a: T.String(), b: T.Optional(T.Union([T.String(), T.Null()])) }),
    T.Object({ a: T.Optional(T.Never()) }),
    T.Object({ ...T.Object({ a: T.Optional(T.String()), b: T.Null() }).properties, c: T.Integer() }),
  ],
  free: [T.Unsafe<string>({ type: 'string', enum: ['a'] })],
})

test('every builder makes the schema that TypeBox makes', () => {
  const [ours, theirs] = [build(Type), build(TypeBox)]
  assert.equal(JSON.stringify(ours), JSON.stringify(theirs))
  assert.deepEqual(Object.keys(Type).toSorted(), usedBuilders())
})

/** The names that `build` uses, so that a new builder cannot go untested. */
function usedBuilders(): string[] {
  const names = [...build.toString().matchAll(/\bT\.([A-Z]\w+)/g)].map(([, name]) => name ?? '')
  return [...new Set(names)].toSorted()
}
