/** The properties of a schema, nested ones too, in order, each by its own name. */
import { isRecord, resolvePointer, type SchemaObject } from '../../lib/schema-values.ts'

export type Property = {
  readonly name: string
  /** The name's words, lower case, with spaces: `party size`. */
  readonly words: string
  readonly schema: SchemaObject
  /** JSON types it may have; empty: any. */
  readonly types: readonly string[]
  /** Null: not an enumeration. */
  readonly members: readonly unknown[] | null
  readonly isRequired: boolean
  /** Of an array of plain values: the schema of one. */
  readonly item: Property | null
}

const MAX_PROPERTIES = 200
const MAX_DEPTH = 6

export function propertiesOf(schema: unknown): Property[] {
  const found: Property[] = []
  const visit = (part: unknown, depth: number): void => {
    if (!isRecord(part) || depth > MAX_DEPTH || found.length >= MAX_PROPERTIES) return
    for (const branch of partsOf(part, schema)) {
      const properties = isRecord(branch.properties) ? branch.properties : {}
      const required = Array.isArray(branch.required) ? branch.required : []
      for (const [name, raw] of Object.entries(properties)) {
        const property = toProperty(name, raw, { root: schema, isRequired: required.includes(name) })
        if (found.length < MAX_PROPERTIES) found.push(property)
        visit(property.schema, depth + 1)
      }
      visit(branch.items, depth + 1)
    }
  }
  visit(schema, 0)
  return found
}

/** A schema and what it is put together from. */
function partsOf(schema: SchemaObject, root: unknown): SchemaObject[] {
  const target = typeof schema.$ref === 'string' ? resolvePointer(root, schema.$ref) : undefined
  const lists = [schema.allOf, schema.anyOf, schema.oneOf].flatMap((list) => (Array.isArray(list) ? list : []))
  return [
    schema,
    target,
    ...lists.map((part) => (isRecord(part) && typeof part.$ref === 'string' ? resolvePointer(root, part.$ref) : part)),
  ].filter(isRecord)
}

function toProperty(
  name: string,
  raw: unknown,
  { root, isRequired }: { root: unknown; isRequired: boolean },
): Property {
  const schema = isRecord(raw) ? raw : {}
  const parts = partsOf(schema, root)
  const types = [
    ...new Set(parts.flatMap(({ type }) => (Array.isArray(type) ? type : type === undefined ? [] : [type]))),
  ]
  const members = parts.flatMap((part) => (Array.isArray(part.enum) ? part.enum : 'const' in part ? [part.const] : []))
  const items = parts.map((part) => part.items).find(isRecord)
  return {
    name,
    words: spaced(name),
    schema,
    types: types.filter((type): type is string => typeof type === 'string' && type !== 'null'),
    members: members.length > 0 ? members.filter((member) => member !== null) : null,
    isRequired,
    item: items && !isRecord(items.properties) ? toProperty(name.replace(/s$/, ''), items, { root, isRequired }) : null,
  }
}

const spaced = (name: string): string =>
  name
    .replaceAll(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
    .toLowerCase()
