/**
 * `rewrite_query`: what a person asks -> what is to be looked for. No model is asked: the words of asking are left out,
 * which is most of what a rewriting does for a search.
 */
const ASKING = new RegExp(
  [
    String.raw`^\s*(?:hi|hello|hey|please|so|ok(?:ay)?|well)\b[\s,!.]*`,
    String.raw`^\s*(?:can|could|would|will) (?:you|i|we|somebody|someone)(?: please)?(?: (?:tell|show|explain to|give|help) (?:me|us))?\s*`,
    String.raw`^\s*(?:please )?(?:tell|show|give) (?:me|us)\s*`,
    String.raw`^\s*(?:i|we) (?:want|need|would like|'d like)(?: to (?:know|find out|find|see|understand))?\s*`,
    String.raw`^\s*(?:do you know|i wonder|search for|look up|find(?: out)?|explain|describe)\b\s*`,
    String.raw`^\s*(?:what|who|which|where|when|why|how)(?:'s| is| are| was| were| do| does| did| can| should| much| many)*\b\s*`,
    String.raw`^\s*(?:is|are|does|do|did|was|were|if|whether|about|there|that|the|an?)\b\s*`,
  ].join('|'),
  'i',
)
/** Each leaves out one way of asking. */
const MAX_STEPS = 8

export function rewriteQuery(query: string): string {
  let rest = query.trim()
  for (let step = 0; step < MAX_STEPS; step++) {
    const shorter = rest.replace(ASKING, '')
    if (shorter === rest) break
    rest = shorter
  }
  rest = rest.replace(/[\s?!.]+$/, '').trim()
  return rest === '' ? query.trim() : rest
}
