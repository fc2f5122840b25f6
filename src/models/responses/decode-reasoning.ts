/** One reasoning item of a reply: summary and text, streamed, or told at its end; and what its provider sealed. */
import type { ModelEvent } from '../model.ts'
import type { ReasoningKind } from '../upstream/blocks.ts'
import { asFields, asList, asNumber, asText, type Fields } from '../upstream/fields.ts'
import type { Focus } from './focus.ts'
import { packReasoningState } from './reasoning-state.ts'
import { restOf } from './rest-of.ts'

export interface ReasoningReader {
  delta(event: Fields, kind: ReasoningKind, out: ModelEvent[]): void
  /** The whole item: what was not streamed of it comes now. */
  done(item: Fields, out: ModelEvent[]): void
}

export function createReasoningReader(item: Fields, focus: Focus): ReasoningReader {
  const { blocks } = focus
  /** By the index of their part. */
  const texts: Readonly<Record<ReasoningKind, string[]>> = { summary: [], text: [] }

  const write = (kind: ReasoningKind, index: number, delta: string, out: ModelEvent[]) => {
    if (delta === '') return
    focus.enter(reader, out)
    texts[kind][index] = (texts[kind][index] ?? '') + delta
    blocks.reasoning(kind, index, delta, out)
  }
  const writeRest = (kind: ReasoningKind, parts: readonly unknown[], out: ModelEvent[]) => {
    for (const [index, part] of parts.entries()) {
      write(kind, index, restOf(texts[kind][index] ?? '', asText(asFields(part)?.text)), out)
    }
  }
  /** A sealed text that comes when another item has begun stands alone. */
  const seal = (whole: Fields, encryptedContent: string, out: ModelEvent[]) => {
    const state = packReasoningState({ id: asText(whole.id) ?? asText(item.id), encryptedContent })
    if (!focus.isOn(reader)) focus.leave(out)
    if (blocks.isReasoning()) blocks.close(out, state)
    else blocks.state(state, out)
  }

  const reader: ReasoningReader = {
    delta(event, kind, out) {
      const index = asNumber(kind === 'summary' ? event.summary_index : event.content_index) ?? 0
      write(kind, index, asText(event.delta) ?? '', out)
    },
    done(whole, out) {
      const isUntold = texts.summary.length + texts.text.length === 0
      if (focus.isOn(reader) || isUntold) {
        writeRest('summary', asList(whole.summary), out)
        writeRest('text', asList(whole.content), out)
      }
      const encryptedContent = asText(whole.encrypted_content)
      if (encryptedContent !== null) seal(whole, encryptedContent, out)
    },
  }
  return reader
}
