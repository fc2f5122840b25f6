/**
 * Patterns of paths: `:name` is one segment, a final `*` the rest of the path.
 *
 * Paths are compared segment by segment and decoded only after they were cut, so that an encoded slash never makes two
 * segments of one.
 */
export type Params = Readonly<Record<string, string>>
/** Null: another path. */
export type PathPattern = (segments: readonly string[]) => Params | null

/** The decoded segments of a path; null when a percent sign in it begins no character. */
export function toSegments(path: string): readonly string[] | null {
  const segments = path.slice(1).split('/')
  if (!path.includes('%')) return segments
  try {
    return segments.map((segment) => decodeURIComponent(segment))
  } catch {
    return null
  }
}

const REST = '*'
const NO_PARAMS: Params = {}

export function compilePattern(pattern: string): PathPattern {
  const segments = pattern.slice(1).split('/')
  const hasRest = segments.at(-1) === REST
  const parts = (hasRest ? segments.slice(0, -1) : segments).map(toPart)
  const isLiteral = parts.every(({ param }) => param === null) && !hasRest
  return (given) => {
    if (hasRest ? given.length <= parts.length : given.length !== parts.length) return null
    for (let i = 0; i < parts.length; i += 1) {
      const part = parts[i]
      if (part?.param === null && part.text !== given[i]) return null
    }
    return isLiteral ? NO_PARAMS : readParams(parts, given, hasRest)
  }
}

/** How many of a pattern's segments may be anything; a path belongs to the pattern with the fewest. */
export const countParams = (pattern: string): number => pattern.split('/').filter(isOpen).length

type Part = { readonly text: string; readonly param: string | null }

const isOpen = (segment: string) => segment.startsWith(':') || segment === REST
const toPart = (text: string): Part => ({ text, param: isOpen(text) ? text.slice(1) : null })

function readParams(parts: readonly Part[], given: readonly string[], hasRest: boolean): Params {
  const params: Record<string, string> = {}
  for (const [i, { param }] of parts.entries()) if (param !== null) params[param] = given[i] ?? ''
  if (hasRest) params[REST] = given.slice(parts.length).join('/')
  return params
}
