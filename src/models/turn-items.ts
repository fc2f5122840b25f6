/** Messages that a wrapper adds to a turn, as when it asks for a correction. */
import type { Ids } from '../lib/ids.ts'
import { ITEM_ID_PREFIX } from '../protocol/items.ts'
import type { TurnItem } from './model.ts'

/** Characters of a bad answer that the model sees again. */
export const MAX_QUOTED_CHARS = 20_000

export const assistantText = (text: string, ids: Ids): TurnItem => ({
  id: ids.next(ITEM_ID_PREFIX.message),
  type: 'message',
  status: 'completed',
  role: 'assistant',
  content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
})

export const userText = (text: string, ids: Ids): TurnItem => ({
  id: ids.next(ITEM_ID_PREFIX.message),
  type: 'message',
  status: 'completed',
  role: 'user',
  content: [{ type: 'input_text', text }],
})

/** What the model said and what is wrong with it. Providers refuse an empty assistant message. */
export function correction(said: string, complaint: string, ids: Ids): readonly TurnItem[] {
  const quoted = said.slice(0, MAX_QUOTED_CHARS).toWellFormed()
  const asked = userText(complaint, ids)
  return quoted.trim() === '' ? [asked] : [assistantText(quoted, ids), asked]
}
