/**
 * Kinds of settings: each reads one value as written, reports what is wrong with it, and knows its TypeScript type.
 *
 * Invariant: `read` answers `undefined` for "not given" and for "wrong"; what is wrong has then been reported. An
 * empty text counts as not given, because `${VAR:-}` is how people leave a setting out.
 */
import { isAbsolute, resolve } from 'node:path'
import { interpolate } from './interpolate.ts'
import type { Place, ScalarNode, SourceNode } from './source-node.ts'
import { quoteNode } from './source-node.ts'
import { didYouMean } from './suggest.ts'
import { formatDuration, formatSize, parseDuration, parseSize } from './units.ts'

export type ReadContext = {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string
  error(place: Place, message: string): void
  warn(place: Place, message: string): void
  /** The folder that relative paths of this source start from. */
  folderOf(place: Place): string
  /** The text of a file that holds a secret. Throws when it cannot be read. */
  readFile(path: string): string
}

export type Kind<T> = {
  /** What a valid value looks like, for messages and for the documentation. */
  readonly says: string
  read(node: SourceNode, context: ReadContext): T | undefined
  /** How the documentation writes a value of this kind. */
  show(value: T): string
  /** The unit of the value once read; ends up in its name. */
  readonly unit: Unit
}

export type Unit = 'ms' | 'bytes' | null
export type Read<K> = K extends Kind<infer T> ? T : never

type Expanded = { readonly node: ScalarNode; readonly text: string }

/** The scalar's text with its variables filled in; undefined when there is nothing, or when it was reported. */
function expand(
  node: SourceNode,
  says: string,
  context: ReadContext,
  whenUnset: 'error' | 'warn',
): Expanded | undefined {
  if (node.type !== 'scalar') {
    context.error(node.place, `expected ${says}, not ${quoteNode(node)}`)
    return undefined
  }
  if (node.value === null) return undefined
  const result = interpolate(node.text, context.env)
  if (result.type === 'text') return result.text === '' ? undefined : { node, text: result.text }
  if (result.type === 'fault') context.error(node.place, result.message)
  else if (whenUnset === 'error') context.error(node.place, unsetMessage(result.variable))
  else context.warn(node.place, `the environment variable ${result.variable} is not set`)
  return undefined
}

const unsetMessage = (variable: string) =>
  `the environment variable ${variable} is not set (write \${${variable}:-default} to give a default)`

/** A kind of one scalar, from a function that answers undefined for what does not fit. */
function scalar<T>(says: string, parse: (text: string) => T | undefined, show: (value: T) => string = String): Kind<T> {
  return {
    says,
    show,
    unit: null,
    read(node, context) {
      const expanded = expand(node, says, context, 'error')
      if (expanded === undefined) return undefined
      const value = parse(expanded.text)
      if (value === undefined) context.error(node.place, `expected ${says}, not ${quoteNode(node)}`)
      return value
    },
  }
}

export const text = (says = 'a text', pattern = /^[^\p{Cc}]+$/u): Kind<string> =>
  scalar(says, (value) => (pattern.test(value) ? value : undefined))

export function integer(min: number, max: number): Kind<number> {
  return scalar(`an integer from ${min} to ${max}`, (value) => {
    const number = /^-?\d+$/.test(value) ? Number(value) : Number.NaN
    return number >= min && number <= max ? number : undefined
  })
}

export function decimal(min: number, max: number): Kind<number> {
  return scalar(`a number from ${min} to ${max}`, (value) => {
    const number = /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN
    return number >= min && number <= max ? number : undefined
  })
}

export const flag = (): Kind<boolean> =>
  scalar('true or false', (value) => (value === 'true' ? true : value === 'false' ? false : undefined))

export function choice<const T extends string>(values: readonly T[]): Kind<T> {
  const says = `one of ${values.join(', ')}`
  return {
    says,
    show: String,
    unit: null,
    read(node, context) {
      const expanded = expand(node, says, context, 'error')
      if (expanded === undefined) return undefined
      const found = values.find((value) => value === expanded.text)
      if (found === undefined) {
        context.error(node.place, `expected ${says}, not ${quoteNode(node)}${didYouMean(expanded.text, values)}`)
      }
      return found
    },
  }
}

const LONGEST = '365d'

/** Milliseconds. `min` and `max` as people write durations. */
export function duration(min: string, max = LONGEST): Kind<number> & { readonly unit: 'ms' } {
  const [low, high] = [parseDuration(min) ?? 0, parseDuration(max) ?? 0]
  const says = `a duration from ${min} to ${max}`
  const kind = scalar(says, (value) => within(parseDuration(value), low, high), formatDuration)
  return { ...kind, unit: 'ms', read: withUnitHint(kind, says, 's', parseDuration) }
}

/** Bytes. `min` and `max` as people write sizes. */
export function size(min: string, max: string): Kind<number> & { readonly unit: 'bytes' } {
  const [low, high] = [parseSize(min) ?? 0, parseSize(max) ?? 0]
  const says = `a size from ${min} to ${max}`
  const kind = scalar(says, (value) => within(parseSize(value), low, high), formatSize)
  return { ...kind, unit: 'bytes', read: withUnitHint(kind, says, 'B', parseSize) }
}

const within = (value: number | null, low: number, high: number) =>
  value !== null && value >= low && value <= high ? value : undefined

/** A bare number is the commonest mistake: the message then shows it with the unit it probably lacks. */
function withUnitHint(kind: Kind<number>, says: string, unit: string, parse: (text: string) => number | null) {
  return (node: SourceNode, context: ReadContext): number | undefined => {
    if (node.type === 'scalar' && typeof node.value === 'number' && parse(`${node.text}${unit}`) !== null) {
      context.error(node.place, `expected ${says}, not ${node.text} (did you mean "${node.text}${unit}"?)`)
      return undefined
    }
    return kind.read(node, context)
  }
}

export const url = (): Kind<string> =>
  scalar('an http:// or https:// URL without user name and query', (value) => {
    const parsed = URL.parse(value)
    const plain = parsed !== null && !parsed.username && !parsed.password && !parsed.search && !parsed.hash
    return plain && ['http:', 'https:'].includes(parsed.protocol) ? value.replace(/\/+$/, '') : undefined
  })

/** Seconds since the epoch; `2027-06-30` is the end of that day, in UTC. */
export const date = (): Kind<number> =>
  scalar('a date as 2027-06-30 or 2027-06-30T12:00:00Z', (value) => {
    if (!/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2}))?$/.test(value)) return undefined
    const ms = Date.parse(value.length === 10 ? `${value}T23:59:59Z` : value)
    return Number.isNaN(ms) ? undefined : Math.floor(ms / 1000)
  })

/** An absolute path; `~` is the home folder, a relative one starts at the folder of the file that says it. */
export function path(): Kind<string> {
  const says = 'a path'
  return {
    says,
    show: String,
    unit: null,
    read(node, context) {
      const expanded = expand(node, says, context, 'error')
      return expanded === undefined ? undefined : absolutePath(expanded.text, node.place, context)
    },
  }
}

const BUCKET = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([A-Za-z0-9!_.*'()/ -]{0,512}))?$/

/** The bucket and the prefix of `s3://bucket/prefix`; null for what is none. */
export function parseBucket(written: string): { readonly bucket: string; readonly prefix: string } | null {
  const match = BUCKET.exec(written)
  if (!match?.[1]) return null
  const prefix = (match[2] ?? '').replace(/^\/+|\/+$/g, '')
  return { bucket: match[1], prefix: prefix === '' ? '' : `${prefix}/` }
}

/** A path as `path` reads it, or an `s3://` URL as it is written. */
export function folderOrBucket(): Kind<string> {
  const says = 'a path, or a bucket as s3://bucket/prefix'
  return {
    says,
    show: String,
    unit: null,
    read(node, context) {
      const expanded = expand(node, says, context, 'error')
      if (expanded === undefined) return undefined
      if (!/^[a-z0-9]+:\/\//i.test(expanded.text)) return absolutePath(expanded.text, node.place, context)
      if (parseBucket(expanded.text)) return expanded.text
      context.error(node.place, `expected ${says}, not ${quoteNode(node)}`)
      return undefined
    },
  }
}

export function absolutePath(written: string, place: Place, context: ReadContext): string {
  if (written === '~' || written.startsWith('~/')) return resolve(context.home, written.slice(2))
  return isAbsolute(written) ? resolve(written) : resolve(context.folderOf(place), written)
}

/** A secret: never quoted in a message. `file:/path` reads it from a file. */
export function secret(options: { whenUnset: 'error' | 'warn' } = { whenUnset: 'error' }): Kind<string> {
  const says = `a secret: a text, \${VARIABLE} or file:/path`
  return {
    says,
    show: () => '(secret)',
    unit: null,
    read(node, context) {
      const expanded = expand(node, says, context, options.whenUnset)
      if (expanded === undefined) return undefined
      const value = expanded.text.startsWith('file:') ? readSecretFile(expanded, context) : expanded.text
      if (value === undefined || /^[\x21-\x7e]+$/.test(value)) return value
      context.error(node.place, 'a secret may hold no spaces, line ends or letters outside of ASCII')
      return undefined
    },
  }
}

/** A secret that is a URL, because it may hold a password. `schemes`: as `redis`. */
export function secretUrl(schemes: readonly string[], example: string): Kind<string> {
  const kind = secret()
  const says = `a URL as ${example}`
  return {
    ...kind,
    says,
    read(node, context) {
      const value = kind.read(node, context)
      if (value === undefined) return undefined
      const parsed = URL.parse(value)
      if (parsed !== null && parsed.hostname !== '' && schemes.includes(parsed.protocol.slice(0, -1))) return value
      context.error(node.place, `expected ${says}`)
      return undefined
    },
  }
}

function readSecretFile({ node, text: written }: Expanded, context: ReadContext): string | undefined {
  const file = absolutePath(written.slice('file:'.length), node.place, context)
  try {
    const value = context.readFile(file).trim()
    if (value !== '') return value
    context.error(node.place, `the file ${file} is empty; it should hold the secret`)
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    context.error(node.place, `cannot read the secret from ${file} (${reason})`)
  }
  return undefined
}
