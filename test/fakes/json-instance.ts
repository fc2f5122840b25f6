/** A small valid instance of a JSON Schema, always the same one. For scripted models in tests. */

type Schema = Readonly<Record<string, unknown>>

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const number = (value: unknown, otherwise: number): number => (typeof value === 'number' ? value : otherwise)

/** Deeper than this only what is required is filled, so that recursive schemas end. */
const MAX_FULL_DEPTH = 6
const MAX_DEPTH = 40

const FORMATS: Readonly<Record<string, string>> = {
  'date-time': '2025-01-02T03:04:05Z',
  date: '2025-01-02',
  time: '03:04:05Z',
  duration: 'P1D',
  email: 'ada@example.com',
  hostname: 'example.com',
  uri: 'https://example.com/',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uuid: '00000000-0000-4000-8000-000000000000',
}
/** Patterns cannot be inverted in general; one of these mostly fits. */
const SAMPLES = [
  'example',
  'a',
  'A',
  '1',
  '12',
  '123',
  'A1',
  'AB-12',
  'ABC',
  '2025-01-02',
  '12:30',
  '+15550100',
  'a_b',
  '#00ff00',
]

export function instanceOf(schema: unknown, root: unknown = schema, depth = 0): unknown {
  if (!isSchema(schema) || depth > MAX_DEPTH) return null
  if (typeof schema.$ref === 'string') return instanceOf(resolve(schema.$ref, root), root, depth + 1)
  if ('const' in schema) return schema.const
  if ('default' in schema && schema.default !== null) return schema.default
  if (Array.isArray(schema.enum)) return schema.enum[0] ?? null
  const branches = [...list(schema.anyOf), ...list(schema.oneOf)]
  if (branches.length > 0) {
    const deep =
      depth > MAX_FULL_DEPTH ? branches.find((branch) => isSchema(branch) && branch.type === 'null') : undefined
    return instanceOf(deep ?? branches[0], root, depth + 1)
  }
  if (Array.isArray(schema.allOf)) {
    return instanceOf(
      Object.assign({}, ...schema.allOf.map((part) => follow(part, root)), without(schema, 'allOf')),
      root,
      depth + 1,
    )
  }
  return ofType(typeOf(schema), schema, root, depth)
}

const without = (schema: Schema, name: string): Schema =>
  Object.fromEntries(Object.entries(schema).filter(([key]) => key !== name))

const follow = (schema: unknown, root: unknown): unknown =>
  isSchema(schema) && typeof schema.$ref === 'string' ? resolve(schema.$ref, root) : schema

function resolve(ref: string, root: unknown): unknown {
  let at: unknown = root
  for (const key of ref.replace(/^#\/?/, '').split('/').filter(Boolean)) {
    if (!isSchema(at)) return null
    at = at[key.replaceAll('~1', '/').replaceAll('~0', '~')]
  }
  return at
}

function typeOf(schema: Schema): unknown {
  if (Array.isArray(schema.type)) return schema.type.find((type) => type !== 'null') ?? 'null'
  if (schema.type !== undefined) return schema.type
  if ('properties' in schema) return 'object'
  return 'items' in schema ? 'array' : 'string'
}

function ofType(type: unknown, schema: Schema, root: unknown, depth: number): unknown {
  switch (type) {
    case 'object':
      return ofObject(schema, root, depth)
    case 'array': {
      const size = number(schema.minItems, depth > MAX_FULL_DEPTH ? 0 : 1)
      return Array.from({ length: size }, () => instanceOf(schema.items ?? {}, root, depth + 1))
    }
    case 'integer':
    case 'number':
      return ofNumber(schema)
    case 'boolean':
      return true
    case 'null':
      return null
    default:
      return ofString(schema)
  }
}

function ofObject(schema: Schema, root: unknown, depth: number): unknown {
  const properties = isSchema(schema.properties) ? schema.properties : {}
  const names = depth > MAX_FULL_DEPTH ? list(schema.required).map(String) : Object.keys(properties)
  return Object.fromEntries(names.map((name) => [name, instanceOf(properties[name], root, depth + 1)]))
}

function ofNumber(schema: Schema): number {
  const step = number(schema.multipleOf, 1)
  const exclusive = typeof schema.exclusiveMinimum === 'number' ? schema.exclusiveMinimum + step : undefined
  const lowest = number(schema.minimum, number(exclusive, 1))
  const highest = number(
    schema.maximum,
    number(schema.exclusiveMaximum, lowest + step) - (schema.maximum === undefined ? step : 0),
  )
  const value = Math.ceil(lowest / step) * step
  return schema.maximum === undefined && schema.exclusiveMaximum === undefined ? value : Math.min(value, highest)
}

function ofString(schema: Schema): string {
  if (typeof schema.format === 'string' && FORMATS[schema.format]) return FORMATS[schema.format] ?? ''
  const shortest = number(schema.minLength, 0)
  const longest = number(schema.maxLength, Number.POSITIVE_INFINITY)
  if (typeof schema.pattern === 'string') {
    const pattern = new RegExp(schema.pattern, 'u')
    const sample = SAMPLES.find((text) => pattern.test(text) && text.length >= shortest && text.length <= longest)
    if (sample) return sample
  }
  return 'example'.padEnd(shortest, 'x').slice(0, longest)
}
