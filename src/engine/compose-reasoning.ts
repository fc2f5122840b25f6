/** Writes one reasoning item: summary parts and raw text parts, in the order the model gave them. */

import { createTextBuilder, type TextBuilder } from '../lib/text-builder.ts'
import type { ReasoningText, SummaryText } from '../protocol/content.ts'
import type { ItemStatus, ReasoningItem } from '../protocol/items.ts'
import { type EventSink, type ItemPlace, pushItem } from './event-sink.ts'

export interface ReasoningWriter {
  readonly type: 'reasoning'
  /** `part` is the model's own count; a new one closes the part before it. */
  delta(kind: 'summary' | 'text', part: number, delta: string): void
  endPart(): void
  /** What later turns need to see again, sealed; null when there is nothing to carry. */
  seal(encryptedContent: string | null): void
  close(status: ItemStatus): ReasoningItem
}

export function openReasoning(sink: EventSink, place: ItemPlace): ReasoningWriter {
  const summary: SummaryText[] = []
  const content: ReasoningText[] = []
  let encrypted: string | null = null
  let open: { kind: 'summary' | 'text'; part: number; value: TextBuilder } | null = null
  const ofItem = { item_id: place.id, output_index: place.outputIndex }
  const item = (status: ItemStatus): ReasoningItem => ({
    id: place.id,
    type: 'reasoning',
    status,
    summary: [...summary],
    ...(content.length > 0 ? { content: [...content] } : {}),
    ...(encrypted === null ? {} : { encrypted_content: encrypted }),
  })
  pushItem(sink, 'added', place, { ...item('in_progress'), content: [] })

  const startPart = (kind: 'summary' | 'text', part: number) => {
    open = { kind, part, value: createTextBuilder() }
    if (kind === 'summary') {
      sink.push({
        type: 'response.reasoning_summary_part.added',
        sequence_number: sink.next(),
        ...ofItem,
        summary_index: summary.length,
        part: { type: 'summary_text', text: '' },
      })
    } else {
      sink.push({
        type: 'response.content_part.added',
        sequence_number: sink.next(),
        ...ofItem,
        content_index: content.length,
        part: { type: 'reasoning_text', text: '' },
      })
    }
  }
  const endSummary = (text: string) => {
    const at = { ...ofItem, summary_index: summary.length }
    const part: SummaryText = { type: 'summary_text', text }
    sink.push({ type: 'response.reasoning_summary_text.done', sequence_number: sink.next(), ...at, text })
    sink.push({ type: 'response.reasoning_summary_part.done', sequence_number: sink.next(), ...at, part })
    summary.push(part)
  }
  const endText = (text: string) => {
    const at = { ...ofItem, content_index: content.length }
    const part: ReasoningText = { type: 'reasoning_text', text }
    sink.push({ type: 'response.reasoning_text.done', sequence_number: sink.next(), ...at, text })
    sink.push({ type: 'response.content_part.done', sequence_number: sink.next(), ...at, part })
    content.push(part)
  }
  const endPart = () => {
    if (!open) return
    const { kind, value } = open
    open = null
    if (kind === 'summary') endSummary(value.toString())
    else endText(value.toString())
  }

  return {
    type: 'reasoning',
    delta(kind, part, delta) {
      if (open && (open.kind !== kind || open.part !== part)) endPart()
      if (!open) startPart(kind, part)
      open?.value.add(delta)
      if (kind === 'summary') {
        sink.push({
          type: 'response.reasoning_summary_text.delta',
          sequence_number: sink.next(),
          ...ofItem,
          summary_index: summary.length,
          delta,
        })
      } else {
        sink.push({
          type: 'response.reasoning_text.delta',
          sequence_number: sink.next(),
          ...ofItem,
          content_index: content.length,
          delta,
        })
      }
    },
    endPart,
    seal(encryptedContent) {
      encrypted = encryptedContent
    },
    close(status) {
      endPart()
      const done = item(status)
      pushItem(sink, 'done', place, done)
      return done
    },
  }
}
