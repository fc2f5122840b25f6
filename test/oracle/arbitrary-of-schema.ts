/** Random values that fit a JSON Schema, for our own schemas and for those made from the SDK's types. */
import assert from 'node:assert/strict'
import fc from 'fast-check'

type Schema = {
  readonly $ref?: string
  readonly anyOf?: readonly Schema[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly not?: object
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly minItems?: number
  readonly minimum?: number
  readonly maximum?: number
}

export type ArbitraryOptions = {
  /** What `#/definitions/<name>` refers to. */
  readonly definitions?: Readonly<Record<string, object>>
  /** Which object types a union may choose from, by the constant of their `type`. */
  readonly isCarried?: (type: string) => boolean
}

/**
 * Strings are short lower-case words, and unbounded numbers are 1: they fit every pattern, length and range of the API,
 * which the SDK's types do not know.
 */
const word = fc.string({ unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz'), minLength: 1, maxLength: 8 })

export function arbitraryOf(root: object, { definitions = {}, isCarried = () => true }: ArbitraryOptions = {}) {
  return arbitrary(root)

  function resolve(schema: Schema): Schema {
    if (schema.$ref === undefined) return schema
    const target = definitions[schema.$ref.replace('#/definitions/', '')]
    assert.ok(target, `nothing is defined as ${schema.$ref}`)
    return resolve(target)
  }

  function arbitrary(given: Schema): fc.Arbitrary<unknown> {
    const schema = resolve(given)
    if (schema.anyOf) return fc.oneof(...branchesOf(schema).map(arbitrary))
    if (schema.const !== undefined) return fc.constant(schema.const)
    if (schema.enum) return fc.constantFrom(...schema.enum)
    if (typeof schema.type === 'object') return fc.oneof(...schema.type.map((type) => arbitrary({ ...schema, type })))
    switch (schema.type) {
      case 'null':
        return fc.constant(null)
      case 'boolean':
        return fc.boolean()
      case 'string':
        return word
      case 'integer':
        return fc.integer({ min: schema.minimum ?? 0, max: schema.maximum ?? 1_000 })
      case 'number':
        return schema.maximum === undefined
          ? fc.constant(1)
          : fc.double({ min: schema.minimum ?? 0, max: schema.maximum, noNaN: true })
      case 'array':
        return arbitraryArray(schema)
      case 'object':
        return arbitraryObject(schema)
      default:
        return fc.jsonValue({ maxDepth: 1 })
    }
  }

  function branchesOf(schema: Schema): Schema[] {
    const branches = (schema.anyOf ?? []).flatMap((branch) => {
      const target = resolve(branch)
      return target.anyOf ? branchesOf(target) : [target]
    })
    return branches.filter((branch) => {
      const { type } = branch.properties ?? {}
      const types = type?.enum ?? (type?.const === undefined ? [] : [type.const])
      return types.length === 0 || types.some((name) => isCarried(String(name)))
    })
  }

  function arbitraryArray({ items = {}, minItems = 0 }: Schema): fc.Arbitrary<unknown> {
    return fc.array(arbitrary(items), { minLength: Math.max(minItems, 1), maxLength: minItems + 2 })
  }

  function arbitraryObject(schema: Schema): fc.Arbitrary<unknown> {
    const { properties, required = [], additionalProperties } = schema
    if (typeof additionalProperties === 'object')
      return fc.dictionary(word, arbitrary(additionalProperties), { maxKeys: 3 })
    if (!properties) return fc.constantFrom({}, { a: 1 })
    const fields = Object.entries(properties)
      .filter(([, property]) => !property.not)
      .map(([name, property]) => [name, arbitrary(property)] as const)
    return fc.record(Object.fromEntries(fields), { requiredKeys: [...required] })
  }
}
