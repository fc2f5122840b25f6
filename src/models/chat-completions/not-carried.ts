/** What a turn asks for and this provider will not see, by the names of the Responses API. */
import { EFFORTS } from '../../protocol/options.ts'
import type { ModelTurn, NotCarried } from '../model.ts'
import type { Effort, Quirks } from './quirks.ts'

type Rule = NotCarried & { readonly lost: (turn: ModelTurn, quirks: Quirks) => boolean }

const rule = (param: string, weight: NotCarried['weight'], lost: Rule['lost']): Rule => ({ param, weight, lost })

const RULES: readonly Rule[] = [
  rule('top_logprobs', 'meaning', (turn, { logprobs }) => turn.topLogprobs !== null && !logprobs),
  rule('presence_penalty', 'meaning', (turn, { penalties }) => !!turn.presencePenalty && !penalties),
  rule('frequency_penalty', 'meaning', (turn, { penalties }) => !!turn.frequencyPenalty && !penalties),
  rule('tool_choice', 'meaning', (turn, { toolChoice }) => turn.toolChoice.mode === 'required' && !toolChoice),
  rule(
    'text.format',
    'meaning',
    (turn, { structuredOutput }) => turn.text.format.type === 'json_schema' && structuredOutput !== 'json_schema',
  ),
  rule(
    'parallel_tool_calls',
    'hint',
    (turn, { parallelToolCalls }) => !turn.parallelToolCalls && turn.tools.length > 0 && !parallelToolCalls,
  ),
  rule('reasoning.effort', 'hint', ({ reasoning }, { reasoningEffort }) => {
    if (reasoning.effort === null) return false
    return nearestEffort(reasoning.effort, reasoningEffort?.values ?? []) !== reasoning.effort
  }),
  rule('reasoning.summary', 'hint', ({ reasoning }) => reasoning.summary !== null),
  rule('text.verbosity', 'hint', ({ text }, { verbosity }) => text.verbosity !== 'medium' && !verbosity),
  rule(
    'service_tier',
    'hint',
    ({ serviceTier }, quirks) => !!serviceTier && !['auto', 'default'].includes(serviceTier) && !quirks.serviceTier,
  ),
  rule('prompt_cache_key', 'hint', (turn, { promptCacheKey }) => !!turn.promptCacheKey && !promptCacheKey),
  rule(
    'prompt_cache_retention',
    'hint',
    (turn, { promptCacheRetention }) => !!turn.promptCacheRetention && !promptCacheRetention,
  ),
  rule(
    'safety_identifier',
    'hint',
    (turn, { safetyIdentifierField }) => !!turn.safetyIdentifier && !safetyIdentifierField,
  ),
]

/** `text.format` is listed where the schema is only asked for in words; a wrapper may then check the answer. */
export const notCarried = (turn: ModelTurn, quirks: Quirks): readonly NotCarried[] =>
  RULES.filter(({ lost }) => lost(turn, quirks)).map(({ param, weight }) => ({ param, weight }))

/** The asked effort, or the nearest lower one that is known, or the lowest; null: nothing to send. */
export function nearestEffort(asked: Effort, known: readonly Effort[]): Effort | null {
  const rank = (effort: Effort) => EFFORTS.indexOf(effort)
  const lower = known.filter((effort) => rank(effort) <= rank(asked)).sort((a, b) => rank(b) - rank(a))
  if (lower[0]) return lower[0]
  // Asked for none at all, and the provider cannot: sending its lowest would be a guess against the caller's word.
  return asked === 'none' ? null : (known[0] ?? null)
}
