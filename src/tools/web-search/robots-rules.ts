/** The rules of a robots.txt (RFC 9309) for one robot. */

export type RobotsRules = {
  /** `path`: of a URL, with its query. */
  allows(path: string): boolean
}

type Rule = { readonly allow: boolean; readonly pattern: string }
type Group = { readonly agents: readonly string[]; readonly rules: readonly Rule[] }

const MAX_RULES = 5000

/** The groups that name the robot, or else those for all. */
export function readRobotsRules(text: string, robot: string): RobotsRules {
  const groups = readGroups(text)
  const named = groups.filter(({ agents }) => agents.includes(robot))
  const chosen = named.length > 0 ? named : groups.filter(({ agents }) => agents.includes('*'))
  const rules = chosen.flatMap((group) => group.rules).slice(0, MAX_RULES)
  return {
    allows(path) {
      const at = normalPath(path)
      let decided: Rule | null = null
      for (const rule of rules) {
        if (!matches(rule.pattern, at)) continue
        const longer = rule.pattern.length - (decided?.pattern.length ?? -1)
        // The longest pattern counts; of two equal ones the kinder.
        if (longer > 0 || (longer === 0 && rule.allow)) decided = rule
      }
      return decided?.allow ?? true
    },
  }
}

/** A group begins with one or more lines of agents; a group without rules allows all. */
function readGroups(text: string): readonly Group[] {
  const groups: { agents: string[]; rules: Rule[] }[] = []
  let isHead = false
  for (const line of text.split(/\r\n|\r|\n/)) {
    const [, key = '', value = ''] = /^[\s\uFEFF]*([A-Za-z-]+)\s*:\s*([^#]*?)\s*(?:#|$)/.exec(line.slice(0, 2048)) ?? []
    const field = key.toLowerCase()
    if (field === 'user-agent') {
      if (!isHead) groups.push({ agents: [], rules: [] })
      isHead = true
      // `antiphon/1.0` names the robot as `antiphon` does.
      groups.at(-1)?.agents.push((value.split('/', 1)[0] ?? '').toLowerCase())
    } else if (field === 'allow' || field === 'disallow') {
      isHead = false
      if (value !== '') groups.at(-1)?.rules.push({ allow: field === 'allow', pattern: normalPath(value) })
    }
  }
  return groups
}

/** Escapes in one spelling, so that what is the same address compares equal. */
const normalPath = (path: string): string =>
  path
    .toWellFormed()
    .replace(/[^\x21-\x7e]+/g, encodeURIComponent)
    .replace(/%[0-9a-f]{2}/gi, (code) => code.toUpperCase())

/** `*` stands for anything, `$` at the end for the end. No backtracking: each piece takes the first place it fits. */
function matches(pattern: string, path: string): boolean {
  const isWhole = pattern.endsWith('$')
  const pieces = (isWhole ? pattern.slice(0, -1) : pattern).split('*')
  const [first = '', ...rest] = pieces
  if (!path.startsWith(first)) return false
  const last = isWhole ? rest.pop() : undefined
  let at = first.length
  for (const piece of rest) {
    const found = path.indexOf(piece, at)
    if (found < 0) return false
    at = found + piece.length
  }
  if (!isWhole) return true
  return last === undefined ? path.length === at : path.length - last.length >= at && path.endsWith(last)
}
