/** Fields of arguments that fit their schema, as what the schema says they are. */
export const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null)
export const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null)
export const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.flatMap((text: unknown) => (typeof text === 'string' ? [text] : [])) : []
