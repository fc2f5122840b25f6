/** A configuration value as somebody wrote it, with the place where they did. Made from YAML, environment or flags. */

export type Place = {
  /** A file name, an environment variable, or a flag. */
  readonly source: string
  /** Counted from 1; null where the source has no lines. */
  readonly line: number | null
  readonly column: number | null
}

export type SourceNode = ScalarNode | ListNode | MapNode

export type ScalarNode = {
  readonly type: 'scalar'
  readonly value: string | number | boolean | null
  /** The value as written, so that `0x10` or `1.0` given for a text stays what it was. */
  readonly text: string
  readonly place: Place
}

export type ListNode = { readonly type: 'list'; readonly items: readonly SourceNode[]; readonly place: Place }

export type MapNode = { readonly type: 'map'; readonly entries: readonly MapEntry[]; readonly place: Place }

export type MapEntry = { readonly key: string; readonly keyPlace: Place; readonly value: SourceNode }

/** Something wrong with the configuration; errors stop the start, warnings do not. */
export type Problem = { readonly place: Place; readonly message: string; readonly severity: 'error' | 'warning' }

export const wholeSource = (source: string): Place => ({ source, line: null, column: null })

/** `antiphon.yaml:14:7 unknown key "api_bse" (did you mean "api_base"?)` */
export function formatProblem({ place, message }: Problem): string {
  const position = place.line === null ? ':' : `:${place.line}:${place.column ?? 1}`
  return `${place.source}${position} ${message}`
}

/** In the order of the text: by source as first met, then by line and column. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  const order = [...new Set(problems.map(({ place }) => place.source))]
  const rank = ({ place }: Problem) => order.indexOf(place.source)
  return [...problems].sort(
    (a, b) =>
      rank(a) - rank(b) || (a.place.line ?? 0) - (b.place.line ?? 0) || (a.place.column ?? 0) - (b.place.column ?? 0),
  )
}

/** What was written, for a message: short, and without the password of a URL. Readers of secrets never call it. */
export function quoteNode(node: SourceNode): string {
  if (node.type === 'list') return 'a list'
  if (node.type === 'map') return 'a section'
  const text = node.text.replace(/\/\/[^/\s]*@/, '//***@')
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text)
}
