/** Distinct secrets to send in every place, and the ways in which each could turn up where it must not. */
import { randomBytes } from 'node:crypto'

/** Never shown to anybody. Its last characters count too: they are what a careless log keeps "to recognise the key". */
const KEYS = [
  'tenant key',
  'bad bearer key',
  'bad basic key',
  'key in the query',
  'cookie',
  'upstream key',
  'upstream header',
  'dead upstream key',
  'environment key',
  'sealed reasoning',
] as const

/** What clients and models say. It may come back to who sent it, and is nobody else's business. */
const TEXTS = [
  'prompt',
  'instructions',
  'file text',
  'file name',
  'image url credentials',
  'tool output',
  'tool description',
  'tool arguments',
  'schema text',
  'earlier answer',
  'metadata',
  'client metadata',
  'user',
  'safety identifier',
  'cache key',
  'unknown field',
  'broken body',
  'client request id',
  'organization',
  'origin',
  'host',
  'user agent',
  'invalid value',
  'previous id',
  'query value',
  'path',
  'model answer',
] as const

export type KeyName = (typeof KEYS)[number]
export type CanaryName = KeyName | (typeof TEXTS)[number]

export type Canaries = Readonly<Record<CanaryName, string>>

export const CANARY_NAMES: readonly CanaryName[] = [...KEYS, ...TEXTS]
export const isKey = (name: CanaryName): boolean => KEYS.some((key) => key === name)

/** Letters and digits, so that a canary may stand in ids, headers and URLs. */
export function makeCanaries(): Canaries {
  const make = (name: CanaryName) => [name, `${isKey(name) ? 'sk-' : ''}canary${randomBytes(16).toString('hex')}`]
  return Object.fromEntries(CANARY_NAMES.map(make))
}

const TAIL_CHARS = 8

/** The texts whose presence gives the canary away. */
export function formsOf(name: CanaryName, canary: string): readonly string[] {
  const bytes = Buffer.from(canary)
  // Three ways in which bytes can lie in base64; the letters at the edges also depend on their neighbours.
  const shifted = [0, 1, 2].map((pad) =>
    Buffer.concat([Buffer.alloc(pad), bytes])
      .toString('base64')
      .replaceAll('=', '')
      .slice(pad === 0 ? 0 : pad + 1, -1),
  )
  const encoded = [...shifted, ...shifted.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'))]
  const forms = [canary, encodeURIComponent(canary), bytes.toString('hex'), ...encoded]
  return [...new Set(isKey(name) ? [...forms, canary.slice(-TAIL_CHARS)] : forms)]
}

/** Which canaries a text gives away, and in which form. */
export function findCanaries(text: string, canaries: Canaries, names: readonly CanaryName[]): string[] {
  return names.flatMap((name) =>
    formsOf(name, canaries[name])
      .filter((form) => text.includes(form))
      .map((form) => `${name} as ${form}, in: ${lineWith(text, form)}`),
  )
}

function lineWith(text: string, form: string): string {
  const at = text.indexOf(form)
  return JSON.stringify(text.slice(Math.max(0, at - 150), at + form.length + 50))
}
