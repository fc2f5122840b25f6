/** Questions about the conversation itself: how many messages, what was said first or last, what was thought. */
import type { Conversation, Utterance } from './conversation.ts'
import type { Answer } from './style.ts'
import { shorten } from './words.ts'

const MAX_QUOTE_CHARS = 1000
const MAX_LISTED = 50
const MINE = '(?:my|i)'

export function readHistoryQuestion(conversation: Conversation, wording: string): Answer | null {
  const said = conversation.utterances.filter(({ speaker }) => speaker === 'user')
  const earlier = said.filter((utterance) => utterance !== conversation.asked)
  if (/\bhow many (?:messages|questions|turns|times)\b/i.test(wording)) {
    return {
      brief: String(said.length),
      full: `You have sent ${said.length} ${said.length === 1 ? 'message' : 'messages'}, this one included.`,
    }
  }
  if (/\bwhat (?:did|were) you (?:think|thinking|reason)/i.test(wording)) return thoughts(conversation)
  if (/\b(?:summari[sz]e|recap) (?:our|this|the) (?:conversation|chat|discussion)\b/i.test(wording))
    return summary(earlier)
  if (
    new RegExp(`\\bwhat (?:was|did) ${MINE}\\b.*\\bfirst\\b|\\bmy first (?:message|question)\\b`, 'i').test(wording)
  ) {
    return quote('Your first message was', said[0])
  }
  if (
    new RegExp(
      `\\bwhat (?:was|did) ${MINE}\\b.*\\b(?:last|previous|just|before|earlier)\\b|\\bwhat did i (?:just )?(?:say|ask|write)\\b|\\bmy (?:last|previous) (?:message|question)\\b`,
      'i',
    ).test(wording)
  ) {
    return quote('Before this you said', earlier.at(-1))
  }
  if (
    /\bwhat (?:did you|was your)\b.*\b(?:say|answer|reply|last|previous|first)\b|\bwhat you (?:just )?said\b|\byour (?:last|previous) (?:answer|reply|message)\b.*\?/i.test(
      wording,
    )
  ) {
    return quote(
      'I said',
      conversation.utterances.findLast(({ speaker }) => speaker === 'assistant'),
    )
  }
  return null
}

function quote(lead: string, utterance: Utterance | undefined): Answer {
  if (!utterance) return { brief: 'Nothing', full: 'Nothing was said before this.' }
  const text = shorten(utterance.text, MAX_QUOTE_CHARS)
  return { brief: text, full: `${lead}: "${text}"` }
}

function thoughts({ thoughts: [...all] }: Conversation): Answer {
  const last = all.at(-1)
  if (!last) return { brief: 'Nothing', full: 'No reasoning of mine came back with this conversation.' }
  return { brief: last, full: `I thought: "${shorten(last, MAX_QUOTE_CHARS)}"` }
}

function summary(earlier: readonly Utterance[]): Answer {
  if (earlier.length === 0) return quote('', undefined)
  const lines = earlier.slice(-MAX_LISTED).map(({ text }, index) => `${index + 1}. ${shorten(text, 200)}`)
  return { brief: lines.join(' '), full: `So far you said:\n${lines.join('\n')}` }
}
