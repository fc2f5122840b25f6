/** Compaction of one run: whether it is due, and the context that goes on after it. */
import type { Ids } from '../lib/ids.ts'
import type { Model, ModelContext, ModelTurn, TurnItem } from '../models/model.ts'
import type { OutputItem } from '../protocol/items.ts'
import type { CreateResponseRequest } from '../protocol/request.ts'
import type { Usage } from '../protocol/response.ts'
import { type CompactionSeal, isSummaryMessage, summaryMessage } from './compaction-seal.ts'
import { keptMessages, MAX_KEPT_BYTES, newestTurn } from './compaction-window.ts'
import { countTurn } from './count-turn.ts'
import { endsWithTrigger } from './normalize-input.ts'
import { summarise } from './summarise.ts'

export type CompactionRule = {
  /** `trigger`: now, and then the response ends; `threshold`: before a turn that has so many tokens; `off`: never. */
  readonly when: 'off' | 'threshold' | 'trigger'
  /** Tokens; null when nothing was asked for. */
  readonly threshold: number | null
  /** Bytes of user messages kept beside a summary. */
  readonly keptBytes: number
  readonly maxSummaryTokens: number
}

/** Of a known window, for a compaction without a threshold of its own. */
const DEFAULT_WINDOW_SHARE = 0.8
/** The same where the window is not known. */
const DEFAULT_THRESHOLD = 100_000
const MAX_SUMMARY_TOKENS = 8_192

export function compactionRule(
  request: Pick<CreateResponseRequest, 'context_management' | 'input'>,
  contextWindow: number | null,
): CompactionRule {
  const byDefault = contextWindow === null ? DEFAULT_THRESHOLD : Math.floor(contextWindow * DEFAULT_WINDOW_SHARE)
  const thresholds = (request.context_management ?? []).map((entry) => entry.compact_threshold ?? byDefault)
  const threshold = thresholds.length > 0 ? Math.min(...thresholds) : null
  const size = Math.min(threshold ?? Number.POSITIVE_INFINITY, contextWindow ?? Number.POSITIVE_INFINITY)
  return {
    when: endsWithTrigger(request.input) ? 'trigger' : threshold === null ? 'off' : 'threshold',
    threshold,
    // So many bytes are about a quarter as many tokens: what stays leaves room for the summary and the next turns.
    keptBytes: Math.min(MAX_KEPT_BYTES, size),
    maxSummaryTokens: Math.min(MAX_SUMMARY_TOKENS, Math.ceil(size / 4)),
  }
}

export interface Compaction {
  readonly rule: CompactionRule
  /** Compacts whatever the turn holds. */
  compact(turn: ModelTurn, context: ModelContext): Promise<CompactedTurn>
  /** The turn as it can be sent, compacted first if that is due. */
  prepare(turn: ModelTurn, context: ModelContext): Promise<{ readonly turn: ModelTurn; readonly made: Made | null }>
}

export type Made = { readonly encryptedContent: string; readonly usage: Usage }
export type CompactedTurn = Made & { readonly turn: ModelTurn }

export type CompactionParts = {
  readonly rule: CompactionRule
  readonly model: Model
  readonly seal: CompactionSeal
  readonly ids: Ids
  readonly estimateUsage: (turn: ModelTurn, output: readonly OutputItem[]) => Promise<Usage>
  /** What `truncation` does to a turn that is still too long. */
  readonly fit: (turn: ModelTurn) => Promise<ModelTurn>
}

export function createCompaction(parts: CompactionParts): Compaction {
  const { rule, model, seal, ids } = parts
  const compact: Compaction['compact'] = async (turn, context) => {
    const { text, usage } = await summarise(turn.items, { ...parts, turn, context, maxTokens: rule.maxSummaryTokens })
    const { kept, newest } = whatStays(turn.items, rule)
    const compacted = { summary: text, replaces: turn.items.map(({ id }) => id), keptBytes: rule.keptBytes }
    const items = [...kept, summaryMessage(ids.next('msg'), compacted), ...newest]
    return { encryptedContent: seal.seal(compacted), usage, turn: { ...turn, items } }
  }
  return {
    rule,
    compact,
    async prepare(turn, context) {
      if (rule.when === 'off') return { turn, made: null }
      const isDue = rule.when === 'trigger' || (await isOver(turn, rule, model, context.signal))
      if (!isDue) return { turn: await parts.fit(turn), made: null }
      const { turn: shorter, ...made } = await compact(turn, context)
      return { turn: await parts.fit(shorter), made }
    },
  }
}

/** Over the threshold, and there is something that a summary would make shorter. */
async function isOver(turn: ModelTurn, rule: CompactionRule, model: Model, signal: AbortSignal): Promise<boolean> {
  const limit = (rule.threshold ?? Number.POSITIVE_INFINITY) - 1
  if ((await countTurn(turn, model, signal, limit)) <= limit) return false
  const { kept, newest } = whatStays(turn.items, rule)
  const staying = new Set([...kept, ...newest])
  return turn.items.some((item) => !staying.has(item) && !isSummaryMessage(item))
}

function whatStays(items: readonly TurnItem[], { keptBytes }: CompactionRule) {
  const newest = newestTurn(items, keptBytes)
  const isNewest = new Set(newest)
  const kept = keptMessages(
    items.filter((item) => !isNewest.has(item)),
    keptBytes,
  )
  return { kept, newest }
}
