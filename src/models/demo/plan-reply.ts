/** Everything that will be said in one turn, before it is cut into tokens. */
import type { FinishReason, ModelTurn } from '../model.ts'
import { chooseCalls } from './choose-calls.ts'
import { composeAnswer, longText } from './compose-answer.ts'
import type { Conversation } from './conversation.ts'
import { structuredAnswer } from './structured-answer.ts'
import { isSummarisingTurn, summariseFacts } from './summarise.ts'
import { think } from './think.ts'

export type ReplyBlock =
  | { readonly type: 'reasoning'; readonly text: string; readonly summary: readonly string[] }
  | { readonly type: 'text' | 'refusal'; readonly text: string }
  | { readonly type: 'call'; readonly kind: 'function' | 'custom'; readonly name: string; readonly text: string }

export type Reply = {
  readonly blocks: readonly ReplyBlock[]
  readonly reason: FinishReason
  readonly rawReason: string
  /** The connection breaks after that many words that are not reasoning. */
  readonly breakAfterWords: number | null
}

const REFUSAL = 'I am sorry, but I will not help with that. (The demo model refuses when asked to.)'

export function planReply(turn: ModelTurn, conversation: Conversation): Reply {
  const { words } = conversation
  const breakAfterWords = words.failAfter
  if (isSummarisingTurn(turn)) {
    const text = summariseFacts(conversation)
    return { blocks: [{ type: 'text', text }], reason: 'stop', rawReason: 'stop', breakAfterWords: null }
  }
  if (words.empty) return { blocks: [], reason: 'stop', rawReason: 'empty', breakAfterWords }
  const isPlain = words.refuse || words.filter || words.long !== null
  const calls = isPlain ? [] : chooseCalls(turn, conversation)
  const thought = think(turn.reasoning, conversation, calls)
  const reasoning: readonly ReplyBlock[] = thought ? [{ type: 'reasoning', ...thought }] : []
  if (words.refuse) {
    return {
      blocks: [...reasoning, { type: 'refusal', text: REFUSAL }],
      reason: 'stop',
      rawReason: 'refusal',
      breakAfterWords,
    }
  }
  if (calls.length > 0) {
    const blocks = calls.map(({ kind, name, input }) => ({ type: 'call' as const, kind, name, text: input }))
    return { blocks: [...reasoning, ...blocks], reason: 'tool_calls', rawReason: 'tool_calls', breakAfterWords }
  }
  const { text, isStopped } = cutAtStop(textOf(turn, conversation), turn.stop)
  const blocks = [...reasoning, { type: 'text' as const, text: words.filter ? firstHalf(text) : text }]
  if (words.filter) return { blocks, reason: 'content_filter', rawReason: 'content_filter', breakAfterWords }
  return { blocks, reason: 'stop', rawReason: isStopped ? 'stop_sequence' : 'stop', breakAfterWords }
}

function textOf(turn: ModelTurn, conversation: Conversation): string {
  if (conversation.words.long !== null) return longText(conversation.words.long)
  const compose = () => composeAnswer(conversation)
  return structuredAnswer(turn.text.format, conversation, compose) ?? compose()
}

function cutAtStop(text: string, stop: ModelTurn['stop']): { text: string; isStopped: boolean } {
  const places = (stop ?? []).filter((sequence) => sequence !== '').map((sequence) => text.indexOf(sequence))
  const first = Math.min(...places.filter((at) => at >= 0))
  return Number.isFinite(first) ? { text: text.slice(0, first), isStopped: true } : { text, isStopped: false }
}

const firstHalf = (text: string): string => {
  const words = text.split(' ')
  return words.slice(0, Math.ceil(words.length / 2)).join(' ')
}
