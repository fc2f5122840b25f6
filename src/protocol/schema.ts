/** Small schema builders shared by every file of the contract. The schemas are plain JSON Schema objects. */
import Type, { type Static, type TSchema } from 'typebox'

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

/** A JSON object we carry but do not look into, for example a JSON Schema written by a client. */
export const AnyObject = () => Type.Unsafe<Record<string, unknown>>({ type: 'object' })
