/** `reasoning` -> `thinking` and `output_config.effort`, as far as the model and the rest of the turn allow. */
import type { ModelTurn } from '../model.ts'
import { type Effort, nearestEffort } from '../upstream/nearest-effort.ts'
import type { Family } from './family.ts'
import type { Message, ThinkingConfig } from './wire.ts'

export type ThinkingSource = {
  readonly turn: Pick<ModelTurn, 'reasoning' | 'toolChoice' | 'tools'>
  readonly messages: readonly Message[]
  readonly maxTokens: number
}

export type EncodedThinking = {
  /** Null: what the model does by itself. */
  readonly thinking: ThinkingConfig | null
  readonly effort: Effort | null
  /** Of `anthropic-beta`. */
  readonly betas: readonly string[]
  /** What was asked for and cannot be had. */
  readonly lost: readonly ('reasoning.effort' | 'reasoning.summary')[]
}

const NOTHING: EncodedThinking = { thinking: null, effort: null, betas: [], lost: [] }
const INTERLEAVED = 'interleaved-thinking-2025-05-14'
const BINDING_CONTROLS = 'thinking-binding-controls-2026-08-01'

export function encodeThinking(source: ThinkingSource, family: Family): EncodedThinking {
  switch (family.thinking) {
    case 'none':
      return NOTHING
    case 'budget':
      return encodeBudget(source, family)
    default:
      return encodeAdaptive(source, family)
  }
}

/** What a request means that asks for a summary, and so for thinking, but not for how much. */
const EFFORT_OF_SUMMARY: Effort = 'medium'

function encodeAdaptive({ turn, messages }: ThinkingSource, family: Family): EncodedThinking {
  const { effort, summary } = turn.reasoning
  if (effort === 'none' && family.thinking !== 'always') {
    return family.thinking === 'on' ? { ...NOTHING, thinking: { type: family.thinkingOff } } : NOTHING
  }
  const level = effort === null ? null : nearestEffort(effort, family.efforts)
  // Instructions, tools and early messages are not the provider's here: a client, truncation or a compaction may change
  // them. What was thought before is then forgotten rather than the whole conversation refused.
  const unbind = family.boundThinking && messages.some(holdsThinking)
  const display = summary !== null ? 'summarized' : effort !== null ? 'omitted' : null
  if (display === null && !unbind) return { ...NOTHING, effort: level }
  return {
    thinking: {
      type: 'adaptive',
      ...(display && { display }),
      ...(unbind && { block_binding: { prefix_mismatch_behavior: 'drop_block' as const } }),
    },
    effort: level,
    betas: unbind ? [BINDING_CONTROLS] : [],
    lost: level === effort ? [] : ['reasoning.effort'],
  }
}

const MIN_BUDGET = 1024
/** Kept for the answer, of what the client allows in all. */
const MIN_ANSWER = 1024
const BUDGETS: Readonly<Record<Exclude<Effort, 'none'>, number>> = {
  minimal: MIN_BUDGET,
  low: 2048,
  medium: 8192,
  high: 16_384,
  xhigh: 32_768,
  max: 65_536,
}

/** A demanded tool call, or a loop of calls that began without thinking, does not go together with a budget. */
function encodeBudget({ turn, messages, maxTokens }: ThinkingSource, family: Family): EncodedThinking {
  const { effort, summary } = turn.reasoning
  const level = effort === null ? null : nearestEffort(effort, family.efforts)
  const wanted = effort ?? (summary === null ? null : EFFORT_OF_SUMMARY)
  if (wanted === null || wanted === 'none') return NOTHING
  const room = maxTokens - MIN_ANSWER
  if (turn.toolChoice.mode === 'required' || room < MIN_BUDGET || inLoopWithoutThinking(messages)) {
    return { ...NOTHING, effort: level, lost: [effort === null ? 'reasoning.summary' : 'reasoning.effort'] }
  }
  return {
    thinking: { type: 'enabled', budget_tokens: Math.min(BUDGETS[wanted], room) },
    effort: level,
    betas: turn.tools.length > 0 ? [INTERLEAVED] : [],
    lost: [],
  }
}

const isThinking = ({ type }: { readonly type: string }) => type === 'thinking' || type === 'redacted_thinking'
const holdsThinking = ({ content }: Message) => content.some(isThinking)

function inLoopWithoutThinking(messages: readonly Message[]): boolean {
  if (messages.at(-1)?.content[0]?.type !== 'tool_result') return false
  const calls = messages.at(-2)?.content[0]
  return calls !== undefined && !isThinking(calls)
}
