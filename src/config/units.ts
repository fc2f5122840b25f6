/** Durations (`30s`, `5m`, `30d`) and sizes (`32MB`) as people write them. */

const MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
/** As every limit of the project is counted: 1 KB is 1,024 bytes. */
const BYTES = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 } as const

/** Milliseconds, or null when the text is no duration. `1.5h` is one, `30` is not: the unit is never guessed. */
export function parseDuration(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/.exec(text.trim())
  const unit = match?.[2]
  return match === null || !isOneOf(unit, MS) ? null : Math.round(Number(match[1]) * MS[unit])
}

/** Bytes, or null when the text is no size. */
export function parseSize(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*(B|KB|MB|GB)$/i.exec(text.trim())
  const unit = match?.[2]?.toUpperCase()
  return match === null || !isOneOf(unit, BYTES) ? null : Math.round(Number(match[1]) * BYTES[unit])
}

/** The shortest text that `parseDuration` reads back as `ms`. */
export const formatDuration = (ms: number) => format(ms, MS)

/** The shortest text that `parseSize` reads back as `bytes`. */
export const formatSize = (bytes: number) => format(bytes, BYTES)

function format(value: number, units: Readonly<Record<string, number>>): string {
  const largestFirst = Object.entries(units).sort(([, a], [, b]) => b - a)
  const whole = largestFirst.find(([, factor]) => value !== 0 && value % factor === 0)
  const [name, factor] = whole ?? largestFirst.at(-1) ?? ['', 1]
  return `${value / factor}${name}`
}

const isOneOf = <T extends object>(key: string | undefined, units: T): key is Extract<keyof T, string> =>
  key !== undefined && Object.hasOwn(units, key)
