/** Reading JSON of unknown make without trusting it. */

export type Fields = Readonly<Record<string, unknown>>

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const asFields = (value: unknown): Fields | null => (isFields(value) ? value : null)
const EMPTY: readonly unknown[] = []
export const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : EMPTY)
/** A string with something in it. */
export const asText = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)
export const asNumber = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
