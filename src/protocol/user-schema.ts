/** Bounds that hold for every JSON Schema a client sends, strict or not. */

export const USER_SCHEMA_LIMITS = {
  /** Characters of a function's parameters as JSON text, about. */
  functionChars: 65_536,
  /** The same for structured output, where far larger schemas are usual. */
  responseFormatChars: 1_048_576,
  /** Depth as JSON: three to four levels of it are one level of nested objects. */
  depth: 48,
} as const

/** Keywords whose value is data: a `$ref` in there refers to nothing. */
const DATA_KEYWORDS: ReadonlySet<string> = new Set(['const', 'enum', 'default', 'example', 'examples'])
/** Keywords whose keys are names that the client chose, not keywords. */
const NAME_KEYWORDS: ReadonlySet<string> = new Set(['properties', 'patternProperties', '$defs', 'definitions'])

type Holds = 'schema' | 'names' | 'data'

/**
 * What is wrong with the schema, or null. Its depth is bounded before it recurses, and it stops at the first limit.
 * A remote `$ref` is refused because nobody may make the server, or a provider, fetch a URL through a schema.
 */
export function findUserSchemaProblem(schema: Readonly<Record<string, unknown>>, maxChars: number): string | null {
  let chars = 0
  return visit(schema, 1, 'schema')

  function visit(value: unknown, depth: number, holds: Holds): string | null {
    chars += ownChars(value)
    if (chars > maxChars) return `schema exceeds limit of ${maxChars} characters.`
    if (!isRecord(value)) return null
    if (depth > USER_SCHEMA_LIMITS.depth) return `schema exceeds limit of ${USER_SCHEMA_LIMITS.depth} levels of JSON.`
    // `for in` over a list, which many keywords hold, would make a text of every index.
    return Array.isArray(value) ? visitList(value, depth, holds) : visitFields(value, depth, holds)
  }

  function visitList(list: readonly unknown[], depth: number, holds: Holds): string | null {
    const below = holds === 'names' ? 'schema' : holds
    for (const item of list) {
      const problem = visit(item, depth + 1, below)
      if (problem !== null) return problem
    }
    return null
  }

  function visitFields(fields: Readonly<Record<string, unknown>>, depth: number, holds: Holds): string | null {
    for (const key in fields) {
      const child = fields[key]
      if (key === '$ref' && holds === 'schema' && isRemote(child)) return remoteReference(child)
      chars += key.length + 3
      const problem = visit(child, depth + 1, holdsBelow(holds, key))
      if (problem !== null) return problem
    }
    return null
  }
}

function holdsBelow(holds: Holds, key: string): Holds {
  if (holds === 'data') return 'data'
  if (holds === 'names') return 'schema'
  if (DATA_KEYWORDS.has(key)) return 'data'
  return NAME_KEYWORDS.has(key) ? 'names' : 'schema'
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

const isRemote = (ref: unknown): ref is string => typeof ref === 'string' && !ref.startsWith('#')

const remoteReference = (ref: string) =>
  `'$ref' must point inside the schema and start with '#', but got '${ref.slice(0, 200)}'.`

function ownChars(value: unknown): number {
  if (typeof value === 'string') return value.length + 3
  return typeof value === 'object' ? 2 : 5
}
