/** Names that people write for one of ours. */
const SYNONYMS: Readonly<Record<string, string>> = {
  apikey: 'api_key',
  baseurl: 'api_base',
  endpoint: 'api_base',
  keyname: 'key_alias',
  modellist: 'models',
  name: 'model_name',
  retries: 'num_retries',
  token: 'api_key',
  url: 'api_base',
}

const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '')

/** The candidate that was probably meant, or null: a synonym, another spelling, or a few letters away. */
export function suggest(name: string, candidates: readonly string[]): string | null {
  const spelled = plain(name)
  const same = candidates.find((it) => plain(it) === spelled)
  if (same !== undefined) return same
  const synonym = Object.hasOwn(SYNONYMS, spelled) ? SYNONYMS[spelled] : undefined
  if (synonym !== undefined && candidates.includes(synonym)) return synonym
  const limit = Math.max(1, Math.floor(spelled.length / 3))
  const near = candidates
    .map((candidate) => ({ candidate, distance: editDistance(spelled, plain(candidate), limit) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance)
  return near[0]?.candidate ?? null
}

/** ` (did you mean "x"?)`, or nothing. */
export function didYouMean(name: string, candidates: readonly string[]): string {
  const meant = suggest(name, candidates)
  return meant === null ? '' : ` (did you mean "${meant}"?)`
}

/** Insertions, deletions, replacements and swaps of neighbours; above `limit` only that it is above is exact. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1)
      }
      row.push(cost)
    }
    beforeLast = last
    last = row
  }
  return last[b.length] ?? 0
}
