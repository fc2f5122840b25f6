/** Reads fields of JSON that others wrote. Whatever is not as expected is simply not there. */

export type JsonObject = Readonly<Record<string, unknown>>

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The field as an object; empty when it is none. */
export function objectIn(value: unknown, field: string): JsonObject {
  const found = isObject(value) ? value[field] : undefined
  return isObject(found) ? found : {}
}

export function listIn(value: unknown, field: string): readonly unknown[] {
  const found = isObject(value) ? value[field] : undefined
  return Array.isArray(found) ? found : []
}

export function textIn(value: unknown, field: string): string | null {
  const found = isObject(value) ? value[field] : undefined
  return typeof found === 'string' && found !== '' ? found : null
}

/** The first of the fields that holds a whole number above 0. */
export function countIn(value: unknown, ...fields: readonly string[]): number | null {
  for (const field of fields) {
    const found = isObject(value) ? value[field] : undefined
    if (typeof found === 'number' && Number.isSafeInteger(found) && found > 0) return found
  }
  return null
}
