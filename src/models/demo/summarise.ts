/** The summarising turn as the demo model does it: what was told, sentence by sentence, as it was told. */
import { COMPACTION_INSTRUCTIONS, COMPACTION_REQUEST } from '../../protocol/compaction-texts.ts'
import type { ModelTurn } from '../model.ts'
import type { Conversation } from './conversation.ts'
import { learnFacts } from './facts.ts'
import { sentencesOf } from './words.ts'

const MAX_SENTENCES = 500
const NOTHING_TOLD = 'Nothing was told that could be asked for later.'

export const isSummarisingTurn = (turn: ModelTurn): boolean =>
  turn.instructions?.startsWith(COMPACTION_INSTRUCTIONS) ?? false

/** Each fact once, in its latest wording, oldest first. Tools tell facts too; what the assistant said is no fact. */
export function summariseFacts({ utterances }: Conversation): string {
  const sentences = utterances
    .filter(({ speaker, text }) => (speaker === 'user' || speaker === 'tool') && text !== COMPACTION_REQUEST)
    .flatMap(({ text }) => sentencesOf(text))
  const latest = new Map<string, string>()
  for (const sentence of sentences) {
    for (const { owner, words } of learnFacts([{ speaker: 'user', text: sentence }])) {
      const key = `${owner} ${[...words].sort().join(' ')}`
      latest.delete(key)
      latest.set(key, sentence)
    }
  }
  const told = [...new Set(latest.values())].slice(-MAX_SENTENCES)
  return told.length === 0 ? NOTHING_TOLD : told.join('\n')
}
