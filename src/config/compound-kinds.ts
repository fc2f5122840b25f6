/** Kinds made of other kinds: lists, maps with free names, objects with known fields. */

import { featureToCome } from './features-to-come.ts'
import { type Kind, type Read, type ReadContext, text } from './kinds.ts'
import { type Place, quoteNode, type SourceNode } from './source-node.ts'
import { didYouMean } from './suggest.ts'

/** A value with the place it was written at, for checks that need other values too. */
export type Placed<T> = { readonly value: T; readonly place: Place }

export const placed = <T>(kind: Kind<T>): Kind<Placed<T>> => ({
  says: kind.says,
  unit: kind.unit,
  show: ({ value }) => kind.show(value),
  read(node, context) {
    const value = kind.read(node, context)
    return value === undefined ? undefined : { value, place: node.place }
  },
})

/** `atLeast`: entries that must be written, whether or not they are faulty. */
export function list<T>(item: Kind<T>, { atLeast = 0 } = {}): Kind<readonly T[]> {
  const says = atLeast === 0 ? `a list, each ${item.says}` : `a list of at least ${atLeast}, each ${item.says}`
  return {
    says,
    unit: null,
    show: (value) => `[${value.map((it) => item.show(it)).join(', ')}]`,
    read(node, context) {
      if (isNothing(node)) return undefined
      if (node.type === 'list' && node.items.length >= atLeast) {
        return node.items.flatMap((it) => item.read(it, context) ?? [])
      }
      const shown = node.type === 'list' ? `one of ${node.items.length}` : quoteNode(node)
      context.error(node.place, `expected ${says}, not ${shown}`)
      return undefined
    },
  }
}

/** A map whose keys are names of the user's choice. */
export function mapOf<T>(name: RegExp, value: Kind<T>): Kind<ReadonlyMap<string, T>> {
  const says = `a section of names, each ${value.says}`
  return {
    says,
    unit: null,
    show: (map) => (map.size === 0 ? '{}' : `{${[...map.keys()].join(', ')}}`),
    read(node, context) {
      if (isNothing(node)) return undefined
      if (node.type !== 'map') {
        context.error(node.place, `expected ${says}, not ${quoteNode(node)}`)
        return undefined
      }
      const found = new Map<string, T>()
      for (const entry of node.entries) {
        if (!name.test(entry.key)) {
          context.error(
            entry.keyPlace,
            `${JSON.stringify(entry.key)} is no valid name here; it must match ${name.source}`,
          )
        }
        const read = value.read(entry.value, context)
        if (read !== undefined) found.set(entry.key, read)
      }
      return found
    },
  }
}

/** JSON as it is written, for settings that are not ours. Variables are filled in; a number is one when written as one. */
export function anyValue(): Kind<unknown> {
  const says = 'a value'
  // Any text: credentials may have line ends.
  const word = text(says, /^[\s\S]+$/)
  const read = (node: SourceNode, context: ReadContext): unknown => {
    if (node.type === 'list') return node.items.map((it) => read(it, context) ?? null)
    if (node.type === 'map') {
      const entries = node.entries.map(({ key, value }) => [key, read(value, context)] as const)
      return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
    }
    return typeof node.value === 'string' ? word.read(node, context) : (node.value ?? undefined)
  }
  return { says, unit: null, show: () => says, read }
}

type Fields = Readonly<Record<string, Kind<unknown>>>
type ObjectOf<F extends Fields, R extends keyof F> = {
  readonly [K in keyof F]: K extends R ? Read<F[K]> : Read<F[K]> | null
} & { readonly place: Place }

/**
 * An object with known fields; what is left out is null. `place` is where the object begins. One that lacks a
 * required field is reported and read as nothing.
 */
export function object<const F extends Fields, R extends keyof F & string = never>(
  what: string,
  fields: F,
  required: readonly R[] = [],
): Kind<ObjectOf<F, R>> {
  const names = Object.keys(fields)
  return {
    says: what,
    unit: null,
    show: () => what,
    read(node, context) {
      const values: Record<string, unknown> = Object.fromEntries(names.map((name) => [name, null]))
      if (node.type !== 'map' && !(isNothing(node) && required.length === 0)) {
        context.error(node.place, `expected ${what} with ${names.join(', ')}, not ${quoteNode(node)}`)
        return undefined
      }
      const entries = node.type === 'map' ? node.entries : []
      for (const { key, keyPlace, value } of entries) {
        const kind = Object.hasOwn(fields, key) ? fields[key] : undefined
        if (kind === undefined) context.error(keyPlace, unknownKey(key, names))
        else values[key] = kind.read(value, context) ?? null
      }
      // Written with nothing behind it is as good as not written; what is faulty was reported by its own kind.
      const given = entries.filter(({ value }) => !isNothing(value)).map(({ key }) => key)
      for (const name of required.filter((it) => !given.includes(it))) {
        context.error(node.place, `${what} lacks "${name}"`)
      }
      // The check: every field was read by its own kind, or is null, and required ones are not null.
      const complete = required.every((name) => values[name] !== null)
      return complete ? ({ ...values, place: node.place } as ObjectOf<F, R>) : undefined
    },
  }
}

/** A key that is no setting: planned for later, misspelt, or unknown. */
export function unknownKey(key: string, candidates: readonly string[]): string {
  const later = featureToCome(key)
  if (later !== null) return `unknown key "${key}": ${later}`
  return `unknown key "${key}"${didYouMean(key, candidates)}`
}

const isNothing = (node: SourceNode) => node.type === 'scalar' && node.value === null

/** Reports every entry of a list whose name was used before. */
export function reportRepeated(names: readonly Placed<string>[], what: string, context: ReadContext): void {
  const seen = new Set<string>()
  for (const { value, place } of names) {
    if (seen.has(value)) context.error(place, `${what} "${value}" is defined twice`)
    seen.add(value)
  }
}
