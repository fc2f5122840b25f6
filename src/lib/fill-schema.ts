/**
 * An instance of a JSON Schema: valid, small and the same every time, with values from `hints` where they fit.
 *
 * Candidates are made lazily, nicest first, from the schema with its `allOf` folded and one branch of each `anyOf`,
 * `oneOf` and `if` chosen; the first that satisfies the original schema wins. So a generator may be naive as long as one
 * of its candidates is right, and keywords that only forbid (`not`) need no code of their own.
 */
import { satisfiesSchema, schemasOfKey } from './check-schema.ts'
import { mergeSchemas } from './merge-schemas.ts'
import { compilePattern } from './pattern.ts'
import { numberCandidates, stringCandidates } from './scalar-candidates.ts'
import { isRecord, resolvePointer, type SchemaObject } from './schema-values.ts'

/** Candidates made for one schema before the first one is taken as it is. */
const MAX_CANDIDATES = 256
/** Candidates made and checking steps taken for one call; afterwards everything is as small as it may be, unchecked. */
const MAX_WORK = 10_000
const MAX_CHECK_STEPS = 1_000_000
const MAX_DEPTH = 40
/** Below this depth optional things are left out and the smallest branch comes first. */
const MAX_RICH_DEPTH = 12
const MAX_MADE_ITEMS = 1000

/**
 * `hints`: property name -> value to prefer there, compared without case, `_` and `-`, at any depth.
 * A schema nothing satisfies gives the nearest value found, never an error. Local references only.
 */
export function fillSchema(schema: unknown, hints: ReadonlyMap<string, unknown> = new Map()): unknown {
  const known = new Map([...hints].map(([name, value]) => [plainName(name), value]))
  return fill(schema, {
    root: schema,
    hints: known,
    work: { left: MAX_WORK },
    steps: { left: MAX_CHECK_STEPS },
    depth: 0,
    refs: new Set(),
    isMinimal: false,
    name: null,
  })
}

/** `firstName`, `first_name` and `First-Name` are one name. */
export const plainName = (name: string): string => name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '')

type Filling = {
  readonly root: unknown
  readonly hints: ReadonlyMap<string, unknown>
  readonly work: { left: number }
  readonly steps: { left: number }
  readonly depth: number
  /** References being expanded above; meeting one again makes the rest minimal, so recursion ends. */
  readonly refs: ReadonlySet<string>
  readonly isMinimal: boolean
  readonly name: string | null
}

function fill(schema: unknown, filling: Filling): unknown {
  if (filling.depth > MAX_DEPTH) return null
  let first: unknown
  let count = 0
  const isMinimal = filling.isMinimal || filling.depth > MAX_RICH_DEPTH || isSpent(filling)
  for (const candidate of candidates(schema, { ...filling, isMinimal })) {
    filling.work.left--
    if (isSpent(filling)) return count === 0 ? candidate : first
    if (satisfiesSchema(schema, candidate, filling.root, filling.steps)) return candidate
    if (count++ === 0) first = candidate
    if (count >= MAX_CANDIDATES) break
  }
  return first === undefined ? null : first
}

const isSpent = (filling: Filling) => filling.work.left <= 0 || filling.steps.left <= 0

function* candidates(schema: unknown, filling: Filling): Generator<unknown> {
  if (!isRecord(schema)) return yield* [...hintsFor(filling), 'example', null]
  const { base, choices, refs, isMinimal } = expand(schema, filling)
  const inner = { ...filling, refs, isMinimal: filling.isMinimal || isMinimal, depth: filling.depth + 1 }
  const [choice, ...others] = choices
  if (choice) {
    if (!filling.isMinimal) yield* hintsFor(filling)
    const rest = others.map((anyOf) => ({ anyOf }))
    for (const branch of inner.isMinimal ? smallestFirst(choice) : choice) {
      yield* candidates({ allOf: [base, branch, ...rest] }, inner)
    }
    return
  }
  yield* hintsFor(filling)
  if ('const' in base) yield base.const
  if (Array.isArray(base.enum)) return yield* base.enum
  if (base.default !== undefined) yield base.default
  if (Array.isArray(base.examples)) yield* base.examples
  for (const type of typesOf(base, inner.isMinimal)) yield* candidatesOfType(type, base, inner)
}

function* candidatesOfType(type: string, schema: SchemaObject, filling: Filling): Generator<unknown> {
  if (type === 'object') yield* objectCandidates(schema, filling)
  else if (type === 'array') yield* arrayCandidates(schema, filling)
  else if (type === 'string') yield* stringCandidates(schema, filling.name)
  else if (type === 'integer' || type === 'number') yield* numberCandidates(schema, type === 'integer')
  else if (type === 'boolean') yield* [true, false]
  else yield null
}

// ---- hints ----------------------------------------------------------------------------------------------------

function* hintsFor(filling: Filling): Generator<unknown> {
  if (filling.name === null) return
  const hint = filling.hints.get(plainName(filling.name))
  if (hint === undefined) return
  yield hint
  if (typeof hint === 'string' && hint.trim() !== '' && Number.isFinite(Number(hint))) yield Number(hint)
  if (typeof hint === 'number' || typeof hint === 'boolean') yield String(hint)
  if (!Array.isArray(hint)) return yield [hint]
  yield hint[0]
}

// ---- one schema out of many -----------------------------------------------------------------------------------

type Expanded = {
  readonly base: SchemaObject
  readonly choices: readonly (readonly unknown[])[]
  readonly refs: ReadonlySet<string>
  readonly isMinimal: boolean
}

/** Follows references and folds `allOf`; what offers a choice is listed instead. */
function expand(schema: SchemaObject, filling: Filling): Expanded {
  let base: SchemaObject = {}
  const choices: (readonly unknown[])[] = []
  const refs = new Set(filling.refs)
  let isMinimal = false
  const take = (part: unknown, depth: number): void => {
    if (!isRecord(part) || depth > MAX_DEPTH) return
    const { $ref, allOf, anyOf, oneOf, if: condition, then: consequence, else: alternative, ...plain } = part
    base = mergeSchemas(base, plain)
    if (typeof $ref === 'string') {
      if (refs.has($ref)) isMinimal = true
      refs.add($ref)
      take(resolvePointer(filling.root, $ref), depth + 1)
    }
    if (Array.isArray(allOf)) for (const entry of allOf) take(entry, depth + 1)
    for (const list of [anyOf, oneOf]) if (Array.isArray(list)) choices.push(list)
    if (condition !== undefined) choices.push([{ allOf: [condition, consequence ?? true] }, alternative ?? true])
  }
  take(schema, 0)
  return { base, choices, refs, isMinimal }
}

const smallestFirst = (branches: readonly unknown[]): unknown[] =>
  [...branches].sort((left, right) => sizeOf(left) - sizeOf(right))

function sizeOf(schema: unknown): number {
  if (!isRecord(schema)) return 1
  if (schema.type === 'null') return 0
  if (schema.$ref !== undefined || schema.allOf !== undefined) return 4
  return schema.type === 'object' || schema.properties !== undefined ? 3 : schema.type === 'array' ? 2 : 1
}

const OBJECT_WORDS = [
  'properties',
  'required',
  'additionalProperties',
  'patternProperties',
  'minProperties',
  'propertyNames',
]
const ARRAY_WORDS = ['items', 'prefixItems', 'minItems', 'maxItems', 'uniqueItems', 'contains']
const STRING_WORDS = ['pattern', 'format', 'minLength', 'maxLength']
const NUMBER_WORDS = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf']

function typesOf(schema: SchemaObject, isMinimal: boolean): readonly string[] {
  const named = (Array.isArray(schema.type) ? schema.type : [schema.type]).filter((type) => typeof type === 'string')
  if (named.length > 0)
    return [...named].sort((a, b) => (Number(a === 'null') - Number(b === 'null')) * (isMinimal ? -1 : 1))
  const uses = (words: readonly string[]) => words.some((word) => word in schema)
  const guessed = uses(OBJECT_WORDS) ? ['object'] : uses(ARRAY_WORDS) ? ['array'] : uses(NUMBER_WORDS) ? ['number'] : []
  return [
    ...guessed,
    ...(uses(STRING_WORDS) ? ['string'] : []),
    'string',
    'integer',
    'object',
    'array',
    'boolean',
    'null',
  ]
}

// ---- objects --------------------------------------------------------------------------------------------------

function* objectCandidates(schema: SchemaObject, filling: Filling): Generator<unknown> {
  const declared = isRecord(schema.properties) ? Object.keys(schema.properties) : []
  const required = withDependents(toStrings(schema.required), schema)
  const hinted = filling.isMinimal ? [] : declared.filter((key) => filling.hints.has(plainName(key)))
  const make = (keys: readonly string[]) => objectOf(enoughKeys(ordered(keys, declared), schema), schema, filling)
  yield make([...required, ...hinted])
  if (hinted.length > 0) yield make(required)
  yield make([...required, ...declared])
  for (const key of declared.slice(0, MAX_CANDIDATES)) if (!required.includes(key)) yield make([...required, key])
}

/** Declared order first: readers and tests expect the schema's own order. */
function ordered(keys: readonly string[], declared: readonly string[]): string[] {
  const wanted = new Set(keys)
  return [...new Set([...declared.filter((key) => wanted.has(key)), ...keys])]
}

function withDependents(keys: readonly string[], schema: SchemaObject): string[] {
  const all = new Set(keys)
  const dependents = isRecord(schema.dependentRequired) ? schema.dependentRequired : {}
  for (const key of all) for (const other of toStrings(dependents[key])) all.add(other)
  return [...all]
}

function enoughKeys(keys: readonly string[], schema: SchemaObject): string[] {
  const wanted = Math.min(typeof schema.minProperties === 'number' ? schema.minProperties : 0, MAX_MADE_ITEMS)
  const all = [...keys]
  const declared = isRecord(schema.properties) ? Object.keys(schema.properties) : []
  for (const key of [...declared, ...madeUpKeys(schema, wanted)])
    if (all.length < wanted && !all.includes(key)) all.push(key)
  return all
}

function madeUpKeys(schema: SchemaObject, count: number): string[] {
  const patterns = isRecord(schema.patternProperties) ? Object.keys(schema.patternProperties) : []
  const names = isRecord(schema.propertyNames) ? schema.propertyNames : {}
  if (typeof names.pattern === 'string') patterns.push(names.pattern)
  const numbered = Array.from({ length: count }, (_, at) => `key${at + 1}`)
  const others = Array.isArray(names.enum) ? toStrings(names.enum) : numbered
  return [...patterns.flatMap((source) => sampleKeys(source, count)), ...others].filter((key) => key !== '')
}

function sampleKeys(source: string, count: number): string[] {
  const pattern = compilePattern(source)
  const shortest = pattern?.sample(1) ?? ''
  return Array.from({ length: count }, (_, at) => pattern?.sample(shortest.length + at) ?? '')
}

/** Built from entries, so that a property called `__proto__` stays a property. */
function objectOf(keys: readonly string[], schema: SchemaObject, filling: Filling): Record<string, unknown> {
  const entries = keys.map((key) => [key, fill(propertySchema(schema, key), { ...filling, name: key })] as const)
  return Object.fromEntries(entries)
}

function propertySchema(schema: SchemaObject, key: string): unknown {
  const parts = schemasOfKey(schema, key)
  return parts.length === 1 ? parts[0] : parts.length === 0 ? true : { allOf: parts }
}

const toStrings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === 'string') : []

// ---- arrays ---------------------------------------------------------------------------------------------------

function* arrayCandidates(schema: SchemaObject, filling: Filling): Generator<unknown> {
  const prefix = Array.isArray(schema.prefixItems)
    ? schema.prefixItems
    : Array.isArray(schema.items)
      ? schema.items
      : []
  const rest = Array.isArray(schema.items) ? schema.additionalItems : schema.items
  const contained = schema.contains === undefined ? 0 : numberOr(schema.minContains, 1)
  const min = Math.max(numberOr(schema.minItems, 0), contained)
  const max = numberOr(schema.maxItems, Infinity)
  const nice = filling.isMinimal ? min : Math.max(min, prefix.length, rest === false ? 0 : 1)
  for (const wanted of new Set([nice, min, prefix.length, min + 1])) {
    const length = Math.min(wanted, max, rest === false ? prefix.length : MAX_MADE_ITEMS)
    const items: unknown[] = []
    for (let at = 0; at < length; at++) {
      const own = at < prefix.length ? prefix[at] : (rest ?? true)
      const item = at < contained ? { allOf: [own, schema.contains] } : own
      items.push(fillItem(item, items, schema.uniqueItems === true, filling))
    }
    yield items
  }
}

const numberOr = (value: unknown, otherwise: number): number => (typeof value === 'number' ? value : otherwise)

/** Where items must differ, those before are forbidden, and numbers and texts get room to move. */
function fillItem(schema: unknown, before: readonly unknown[], isUnique: boolean, filling: Filling): unknown {
  if (!isUnique || before.length === 0) return fill(schema, filling)
  const without = { not: { enum: before } }
  const made = fill({ allOf: [schema, without] }, filling)
  if (satisfiesSchema(without, made)) return made
  const numbered = before.length + 1
  const variants = [
    numbered,
    -numbered,
    `${String(before[0])}${numbered}`,
    `${numbered}`,
    { key: numbered },
    [numbered],
  ]
  return variants.find((value) => satisfiesSchema({ allOf: [schema, without] }, value, filling.root)) ?? made
}
