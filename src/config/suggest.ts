import { nearestName } from '../lib/nearest-name.ts'

/** Names that people write for one of ours. */
const SYNONYMS: ReadonlyMap<string, string> = new Map([
  ['apikey', 'api_key'],
  ['baseurl', 'api_base'],
  ['endpoint', 'api_base'],
  ['keyname', 'key_alias'],
  ['modellist', 'models'],
  ['name', 'model_name'],
  ['retries', 'num_retries'],
  ['token', 'api_key'],
  ['url', 'api_base'],
])

/** The candidate that was probably meant, or null: a synonym, another spelling, or a few letters away. */
function suggest(name: string, candidates: readonly string[]): string | null {
  const synonym = SYNONYMS.get(name.toLowerCase().replace(/[^a-z0-9]/g, ''))
  return synonym !== undefined && candidates.includes(synonym) ? synonym : nearestName(name, candidates)
}

/** ` (did you mean "x"?)`, or nothing. */
export function didYouMean(name: string, candidates: readonly string[]): string {
  const meant = suggest(name, candidates)
  return meant === null ? '' : ` (did you mean "${meant}"?)`
}
