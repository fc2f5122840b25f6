/** Damage to JSON: at random places of a value, and in its bytes. */
import fc from 'fast-check'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** A key that only `JSON.parse` makes an own one. */
const polluted: Json = JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}')

const REPLACEMENTS: readonly Json[] = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 53,
  1e308,
  '',
  'x',
  'a\u0000b',
  '\ud83d',
  '🦄\u202e\u2028',
  'x'.repeat(10_000),
  [],
  [[[[]]]],
  {},
  { type: 'function' },
  { type: 'nonsense' },
  { '': '' },
  polluted,
  'auto',
  'resp_0',
  'data:text/html,x',
]

/** `undefined` at a place removes it. */
type Change = { readonly at: number; readonly to: Json | undefined | 'nest' | 'twice' }

const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(),
  to: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...REPLACEMENTS) },
    { weight: 2, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom('nest' as const, 'twice' as const) },
  ),
})

type Damage = { readonly at: number; readonly by: 'cut' | 'byte' | 'double-key'; readonly byte: number }
const damage: fc.Arbitrary<Damage | null> = fc.option(
  fc.record({ at: fc.nat(), by: fc.constantFrom('cut', 'byte', 'double-key'), byte: fc.nat(255) }),
  { freq: 9 },
)

/** The bytes of a document after up to two changes, and one time in ten damage to the bytes themselves. */
export const mutated = (documents: fc.Arbitrary<Json>): fc.Arbitrary<Buffer> =>
  fc
    .tuple(documents, fc.array(change, { maxLength: 2 }), damage)
    .map(([document, changes, broken]) => damageBytes(changes.reduce(applyChange, document), broken))

type Path = readonly (string | number)[]

function pathsOf(value: Json, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  const entries: (readonly [string | number, Json])[] = isList(value) ? [...value.entries()] : Object.entries(value)
  return [path, ...entries.flatMap(([step, child]) => pathsOf(child, [...path, step]))]
}

function applyChange(document: Json, { at, to }: Change): Json {
  const paths = pathsOf(document)
  const path = paths[at % paths.length] ?? []
  return replace(document, path, to) ?? {}
}

function replace(value: Json, [step, ...rest]: Path, to: Change['to']): Json | undefined {
  if (step === undefined) return to === 'nest' ? [value] : to === 'twice' ? [value, value] : to
  if (isList(value)) {
    const child = replace(value[Number(step)] ?? null, rest, to)
    return child === undefined ? value.toSpliced(Number(step), 1) : value.with(Number(step), child)
  }
  if (typeof value !== 'object' || value === null) return value
  const { [step]: old = null, ...others } = value
  const child = replace(old, rest, to)
  return child === undefined ? others : { ...others, [step]: child }
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value)

function damageBytes(document: Json, broken: Damage | null): Buffer {
  const text = JSON.stringify(document)
  const bytes = Buffer.from(text)
  if (broken === null || bytes.length === 0) return bytes
  const at = broken.at % bytes.length
  if (broken.by === 'cut') return bytes.subarray(0, at)
  if (broken.by === 'double-key') return Buffer.from(text.replace('{', '{"model":7,"input":8,"input":"x",'))
  bytes[at] = broken.byte
  return bytes
}
