/** The demo's chain of thought: what it was asked and which way it went, longer for more effort. */
import type { ReasoningOptions } from '../../protocol/options.ts'
import type { PlannedCall } from './choose-calls.ts'
import type { Conversation } from './conversation.ts'
import { listOf, shorten } from './words.ts'

export type Thought = {
  readonly text: string
  /** For people; as many parts as were asked for. */
  readonly summary: readonly string[]
}

const SENTENCES = { minimal: 1, low: 2, medium: 3, high: 4, xhigh: 5, max: 6 } as const
const ASKS_TO_THINK = /\b(?:think|reason)\b(?! you\b)|\bstep by step\b/i

/** Null: no reasoning. Effort `none` is final; without an effort the user can ask for it. */
export function think(
  options: ReasoningOptions,
  conversation: Conversation,
  calls: readonly PlannedCall[],
): Thought | null {
  const { effort } = options
  if (effort === 'none') return null
  const text = conversation.asked?.text ?? ''
  const isAsked = conversation.words.think || ASKS_TO_THINK.test(text.slice(0, 4000))
  if (effort === null && !isAsked) return null
  const sentences = sentencesFor(conversation, calls).slice(0, SENTENCES[effort ?? 'medium'])
  return { text: sentences.join(' '), summary: summaryOf(options.summary, text, calls) }
}

function sentencesFor(conversation: Conversation, calls: readonly PlannedCall[]): string[] {
  const count = conversation.utterances.length
  return [
    `The user asks: "${shorten(conversation.asked?.text ?? '', 120)}".`,
    calls.length > 0
      ? `That needs ${listOf(calls.map(({ name }) => name))}, so a call comes first.`
      : 'No tool is needed for that, so an answer can be given now.',
    `The conversation holds ${count} ${count === 1 ? 'message' : 'messages'}, and the latest statement about a thing counts.`,
    'Fixed rules are tried in order, and the first that fits gives the answer.',
    'Nothing is looked up outside of this conversation.',
    'The same conversation always leads to the same answer.',
  ]
}

function summaryOf(style: ReasoningOptions['summary'], text: string, calls: readonly PlannedCall[]): string[] {
  if (style === null) return []
  const first = `**Reading the request**\n\nThe user wants: ${shorten(text, 80)}`
  const second = `**Choosing a way**\n\n${calls.length > 0 ? `Calling ${listOf(calls.map(({ name }) => name))}.` : 'Answering from the conversation.'}`
  return style === 'concise' ? [first] : [first, second]
}
