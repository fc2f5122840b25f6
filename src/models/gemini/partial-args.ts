/**
 * Arguments that come in pieces, each for one place: `{ jsonPath: '$.cities[0].name', stringValue: 'Par' }`. They are
 * put together and written out when the call is whole, because pieces of different places may come in any order.
 */
import { asFields, asList, asText, type Fields } from '../upstream/fields.ts'

/** Places deeper than this, and lists longer, are no arguments of anybody. */
const MAX_DEPTH = 64
const MAX_INDEX = 10_000

type Step = string | number

export interface PartialArgs {
  add(pieces: unknown): void
  value(): unknown
}

export function createPartialArgs(): PartialArgs {
  const root: { value: unknown } = { value: {} }
  return {
    add(pieces) {
      for (const entry of asList(pieces)) {
        const piece = asFields(entry)
        const steps = piece ? readPath(asText(piece.jsonPath) ?? '') : null
        if (piece && steps) root.value = put(root.value, steps, readValue(piece))
      }
    },
    value: () => root.value,
  }
}

const STEP = /\.([^.[\]]+)|\[(\d+)\]|\['([^']*)'\]|\["([^"]*)"\]/y

/** Null for a path that is none. */
function readPath(path: string): readonly Step[] | null {
  if (!path.startsWith('$')) return null
  const steps: Step[] = []
  STEP.lastIndex = 1
  for (let match = STEP.exec(path); match; match = STEP.exec(path)) {
    const [whole, name, index, single, double] = match
    steps.push(index === undefined ? (name ?? single ?? double ?? '') : Number(index))
    if (STEP.lastIndex === path.length) break
    if (whole === '') return null
  }
  const isSane = steps.length <= MAX_DEPTH && steps.every((step) => typeof step === 'string' || step <= MAX_INDEX)
  return steps.length > 0 && isSane ? steps : null
}

const readValue = ({ stringValue, numberValue, boolValue }: Fields): unknown =>
  stringValue ?? numberValue ?? boolValue ?? null

/** Texts of one place are joined; everything else is the latest. */
function put(target: unknown, [step, ...rest]: readonly Step[], value: unknown): unknown {
  if (step === undefined) return typeof target === 'string' && typeof value === 'string' ? target + value : value
  if (typeof step === 'number') {
    const list = Array.isArray(target) ? [...target] : []
    list[step] = put(list[step], rest, value)
    return Array.from(list, (entry) => entry ?? null)
  }
  const fields = asFields(target) ?? {}
  const own = Object.hasOwn(fields, step) ? fields[step] : undefined
  return Object.fromEntries([...Object.entries(fields), [step, put(own, rest, value)]])
}
