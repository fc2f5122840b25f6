/** Puts what was said into an order this API takes: where system messages may stand, who begins, who ends. */
import type { AssistantBlock, Message, TextBlock, UserBlock } from './wire.ts'

/** What one side said; blocks of one side in a row may still be spread over several. */
export type Entry =
  | { readonly role: 'user'; readonly content: readonly UserBlock[] }
  | { readonly role: 'assistant'; readonly content: readonly AssistantBlock[] }
  | { readonly role: 'system'; readonly content: readonly TextBlock[] }

const text = (value: string): TextBlock => ({ type: 'text', text: value })

/** Said by nobody: a conversation must begin, and end, with the user. */
const OPENING: Message = { role: 'user', content: [text('(The conversation begins.)')] }
const CONTINUE: Message = { role: 'user', content: [text('Continue.')] }

/**
 * `systemMessages`: the model takes them in the conversation, but only between a user's message and the assistant's
 * answer, or as the last. Everywhere else they become marked text of the user, in their place: moving them would change
 * what they refer to, and spoil the provider's cache.
 */
export function arrangeMessages(entries: readonly Entry[], systemMessages: boolean): readonly Message[] {
  const merged = merge(merge(entries).map(withoutLastThoughts))
  const placed = merged.map((entry, index): Entry => {
    if (entry.role !== 'system') return entry
    const fits = merged[index - 1]?.role === 'user' && merged[index + 1]?.role !== 'user'
    return systemMessages && fits ? entry : { role: 'user', content: entry.content.map(marked) }
  })
  const messages = merge(placed)
  const last = messages.at(-1)
  return [
    ...(messages[0]?.role === 'user' ? [] : [OPENING]),
    ...messages,
    ...(last?.role === 'assistant' ? [CONTINUE] : []),
  ]
}

const marked = (block: TextBlock): TextBlock => ({
  ...block,
  text: `<developer_message>\n${block.text}\n</developer_message>`,
})

/** One message per side in turn; entries with nothing in them are gone. */
function merge(entries: readonly Entry[]): Entry[] {
  const merged: Entry[] = []
  for (const entry of entries) {
    if (entry.content.length === 0) continue
    const last = merged.at(-1)
    const joined = last && join(last, entry)
    if (joined) merged[merged.length - 1] = joined
    else merged.push(entry)
  }
  return merged
}

function join(a: Entry, b: Entry): Entry | null {
  if (a.role === 'user' && b.role === 'user') return { role: 'user', content: [...a.content, ...b.content] }
  if (a.role === 'system' && b.role === 'system') return { role: 'system', content: [...a.content, ...b.content] }
  if (a.role !== 'assistant' || b.role !== 'assistant') return null
  return { role: 'assistant', content: [...a.content, ...b.content] }
}

/** Thoughts that led to nothing: a turn that was cut off there. They are refused at the end of a message. */
function withoutLastThoughts(entry: Entry): Entry {
  if (entry.role !== 'assistant') return entry
  const end = entry.content.findLastIndex(({ type }) => type === 'text' || type === 'tool_use') + 1
  return end === entry.content.length ? entry : { role: 'assistant', content: entry.content.slice(0, end) }
}
