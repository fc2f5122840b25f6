/** The content of a compaction item: sealed for clients, a summary for models of any provider. */
import type { SealedBox } from '../lib/sealed-box.ts'
import { isSummaryText, summaryText } from '../protocol/compaction-texts.ts'
import { badRequest } from '../protocol/errors.ts'
import type { CompactionItem, InputMessage, Item } from '../protocol/items.ts'

export type CompactedContext = {
  readonly summary: string
  /** The ids of the items that the summary stands for, oldest first. */
  readonly replaces: readonly string[]
  /** The most bytes of user messages that go on beside the summary in their own words. */
  readonly keptBytes: number
}

export type CompactionSeal = {
  seal(compacted: CompactedContext): string
  /** Null when it was not sealed by this server for this project. */
  open(sealed: string): CompactedContext | null
}

/** Bound to the project, and to no provider: a conversation can go on with another model. */
export function createCompactionSeal(box: SealedBox, projectId: string): CompactionSeal {
  const context = `compaction:${projectId}`
  return {
    seal: ({ summary, replaces, keptBytes }) => box.seal(JSON.stringify({ summary, replaces, keptBytes }), context),
    open(sealed) {
      const json = box.open(sealed, context)
      if (json === null) return null
      const opened: CompactedContext = JSON.parse(json)
      return opened
    },
  }
}

/**
 * The compaction as a model is shown it. The summary is made from what users and tools said, so it speaks with the
 * voice of the user: as a developer message it would give their words more weight than they had.
 */
export function openSummary(item: CompactionItem, seal: CompactionSeal): InputMessage {
  const opened = seal.open(item.encrypted_content)
  if (opened) return summaryMessage(item.id, opened)
  throw badRequest(
    'input',
    'invalid_encrypted_content',
    `The encrypted content of item '${item.id}' in this conversation could not be opened: the key it was sealed with ` +
      'is gone. Start a new conversation.',
  )
}

export const summaryMessage = (
  id: string,
  { summary, replaces }: Omit<CompactedContext, 'keptBytes'>,
): InputMessage => ({
  id,
  type: 'message',
  status: 'completed',
  role: 'user',
  content: [{ type: 'input_text', text: summaryText(summary, replaces.length) }],
})

export function isSummaryMessage(item: Item): boolean {
  if (item.type !== 'message' || item.role !== 'user') return false
  const [part] = item.content
  return part?.type === 'input_text' && isSummaryText(part.text)
}
