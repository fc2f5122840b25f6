/**
 * Schema builders shared by every file of the contract. They make plain JSON Schema objects.
 *
 * The types are TypeBox's, the functions are ours: loading the library takes a third of a start, and of its run time the
 * server needs no more than this. `schema.test.ts` holds each function against the one it stands for.
 */
import type TypeBox from 'typebox'
import type { Static, TObject, TProperties, TSchema } from 'typebox'

export type { Static, TObject, TProperties, TSchema }

type Builders = Pick<
  typeof TypeBox,
  | 'Array'
  | 'Boolean'
  | 'Integer'
  | 'Literal'
  | 'Never'
  | 'Null'
  | 'Number'
  | 'Object'
  | 'Optional'
  | 'String'
  | 'Union'
  | 'Unsafe'
>

/** The schemas that are optional where they are a property. Not a keyword: JSON Schema says it beside them. */
const optional = new WeakSet<object>()

const requiredOf = (properties: object) => {
  const names = Object.entries(properties).flatMap(([name, schema]) => (optional.has(schema) ? [] : [name]))
  return names.length > 0 ? { required: names } : {}
}

const builders = {
  Array: (items: object, options?: object) => ({ type: 'array', items, ...options }),
  Boolean: () => ({ type: 'boolean' }),
  Integer: (options?: object) => ({ type: 'integer', ...options }),
  Literal: (value: string | boolean) => ({ type: typeof value, const: value }),
  Never: () => ({ not: {} }),
  Null: () => ({ type: 'null' }),
  Number: (options?: object) => ({ type: 'number', ...options }),
  Object: (properties: object) => ({ type: 'object', ...requiredOf(properties), properties }),
  Optional(schema: object) {
    const copy = { ...schema }
    optional.add(copy)
    return copy
  },
  String: (options?: object) => ({ type: 'string', ...options }),
  Union: (anyOf: readonly object[], options?: object) => ({ anyOf, ...options }),
  Unsafe: (schema: object) => schema,
}

/** Checked by `schema.test.ts`: what they make is what TypeBox makes, except for its hidden marks. */
export const Type = builders as unknown as Builders

/** A value that may also be `null`. OpenAI's clients send `null` for most optionals they leave out. */
export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

/** A field that may be absent or `null`; both mean "not given". */
export const Maybe = <T extends TSchema>(schema: T) => Type.Optional(Nullable(schema))

/** One of a closed set of strings. */
export const OneOf = <const T extends readonly string[]>(values: T) =>
  Type.Unsafe<T[number]>({ type: 'string', enum: [...values] })

/** An object with string keys and values of one schema. */
export const MapOf = <T extends TSchema>(schema: T) =>
  Type.Unsafe<Record<string, Static<T>>>({ type: 'object', additionalProperties: schema })

/** Any JSON value, carried unseen. */
export const AnyValue = () => Type.Unsafe<unknown>({})

/** A JSON object we carry but do not look into, for example a JSON Schema written by a client. */
export const AnyObject = () => Type.Unsafe<Record<string, unknown>>({ type: 'object' })
