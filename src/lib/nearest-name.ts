/** The candidate that a misspelt name was probably meant to be: for "did you mean". */

const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '')

/** Longer names are nobody's misspelling, and comparing them would cost the product of the lengths. */
const MAX_NAME_LENGTH = 64

/** Another spelling, or a few letters away (a third of them at most); null when there is none. */
export function nearestName(name: string, candidates: Iterable<string>): string | null {
  if (name.length > MAX_NAME_LENGTH) return null
  const spelled = plain(name)
  let distance = Math.max(1, Math.floor(spelled.length / 3)) + 1
  let nearest: string | null = null
  for (const candidate of candidates) {
    const spelling = plain(candidate)
    if (spelling === spelled) return candidate
    const found = editDistance(spelled, spelling, distance - 1)
    if (found >= distance) continue
    distance = found
    nearest = candidate
  }
  return nearest
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
