/** Values to try for the scalar types of a JSON Schema, the nicest first. Whoever asks checks them. */
import { compilePattern } from './pattern.ts'
import { formatExamples } from './schema-format.ts'
import type { SchemaObject } from './schema-values.ts'

const MAX_STRING_CHARS = 65_536
/** Further values for arrays whose items must differ. */
const MAX_VARIANTS = 200
const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null)

export function* numberCandidates(schema: SchemaObject, whole: boolean): Generator<number> {
  const low = Math.max(numberOf(schema.minimum) ?? -Infinity, numberOf(schema.exclusiveMinimum) ?? -Infinity)
  const high = Math.min(numberOf(schema.maximum) ?? Infinity, numberOf(schema.exclusiveMaximum) ?? Infinity)
  const step = numberOf(schema.multipleOf) ?? (whole ? 1 : null)
  if (!step || step <= 0)
    return yield* [1, 0, low, high, low + 1, high - 1, (low + high) / 2, -1].filter((value) => Number.isFinite(value))
  const unit = whole && !Number.isInteger(step) ? wholeMultiple(step) : step
  // Around each bound a few multiples, since an excluded bound or an inexact quotient can spoil the first.
  for (const anchor of [1, low, 0, high]) {
    if (!Number.isFinite(anchor)) continue
    const first = Math.ceil(anchor / unit)
    for (const offset of [0, 1, -1, 2, -2, 3]) yield (first + offset) * unit
  }
  const start = Number.isFinite(low)
    ? Math.ceil(low / unit)
    : Number.isFinite(high)
      ? Math.floor(high / unit) - MAX_VARIANTS
      : 2
  for (let offset = 0; offset <= MAX_VARIANTS; offset++) yield (start + offset) * unit
}

/** The smallest whole number that is a multiple of a fraction such as 0.25. */
function wholeMultiple(step: number): number {
  for (let factor = 1; factor <= 10_000; factor++) if (Number.isInteger(factor * step)) return factor * step
  return step
}

/** `name`: of the property, so that a made-up text says what it stands for. */
export function* stringCandidates(schema: SchemaObject, name: string | null): Generator<string> {
  const min = Math.min(numberOf(schema.minLength) ?? 0, MAX_STRING_CHARS)
  const max = numberOf(schema.maxLength) ?? Infinity
  if (typeof schema.format === 'string') yield* formatExamples(schema.format)
  if (typeof schema.pattern === 'string') {
    yield* compilePattern(schema.pattern)?.samples(min, max) ?? []
  }
  const plain = name === null ? 'example' : `example ${name.replaceAll(/[_-]+/g, ' ')}`
  yield fitLength(plain, min, max)
  yield fitLength('text', min, max)
  yield fitLength('another', min, max)
  yield fitLength('', min, max)
  for (let number = 1; number <= MAX_VARIANTS; number++) yield fitLength(`${number}`, min, max)
}

function fitLength(text: string, min: number, max: number): string {
  const characters = [...text].slice(0, Math.min(max, MAX_STRING_CHARS))
  while (characters.length < min) characters.push('x')
  return characters.join('').trimEnd().padEnd(min, 'x')
}
