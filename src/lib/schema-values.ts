/** Small facts about JSON values and JSON Schemas. */

export type SchemaObject = Readonly<Record<string, unknown>>

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export type JsonType = 'null' | 'boolean' | 'integer' | 'number' | 'string' | 'array' | 'object' | 'none'

/** Whole numbers are `integer`; what JSON cannot carry is `none`. */
export function jsonTypeOf(value: unknown): JsonType {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number')
    return !Number.isFinite(value) ? 'none' : Number.isInteger(value) ? 'integer' : 'number'
  if (typeof value === 'object') return 'object'
  if (typeof value === 'string') return 'string'
  return typeof value === 'boolean' ? 'boolean' : 'none'
}

export function jsonEquals(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (Array.isArray(left)) {
    return Array.isArray(right) && left.length === right.length && left.every((item, at) => jsonEquals(item, right[at]))
  }
  if (!isRecord(left) || !isRecord(right)) return false
  const keys = Object.keys(left)
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && jsonEquals(left[key], right[key]))
  )
}

/** The target of a local reference: `#`, `#/a/b`, `#anchor`. Undefined for anything else and for what is not there. */
export function resolvePointer(root: unknown, reference: string): unknown {
  if (reference === '#') return root
  if (!reference.startsWith('#')) return undefined
  if (!reference.startsWith('#/')) return findAnchor(root, reference.slice(1))
  let target: unknown = root
  for (const part of reference.slice(2).split('/')) {
    const key = decodePart(part)
    if (Array.isArray(target)) target = target[Number(key)]
    else if (isRecord(target) && Object.hasOwn(target, key)) target = target[key]
    else return undefined
  }
  return target
}

function findAnchor(root: unknown, name: string): unknown {
  const definitions = isRecord(root) ? (root.$defs ?? root.definitions) : undefined
  if (!isRecord(definitions)) return undefined
  return Object.values(definitions).find(
    (entry) => isRecord(entry) && (entry.$anchor === name || entry.$id === `#${name}` || entry.$id === name),
  )
}

function decodePart(part: string): string {
  const unescaped = part.replaceAll('~1', '/').replaceAll('~0', '~')
  try {
    return decodeURIComponent(unescaped)
  } catch {
    return unescaped
  }
}
