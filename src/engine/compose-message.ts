/** Writes one assistant message: its parts in order, each opened, streamed and closed before the next. */
import { createTextBuilder, type TextBuilder } from '../lib/text-builder.ts'
import type { MessageStart } from '../models/model.ts'
import type { Annotation, Logprob, OutputPart } from '../protocol/content.ts'
import type { ItemStatus, OutputMessage } from '../protocol/items.ts'
import { type EventSink, type ItemPlace, pushItem } from './event-sink.ts'

export interface MessageWriter {
  readonly type: 'message'
  startText(): void
  text(delta: string, logprobs: readonly Logprob[]): void
  annotate(annotation: Annotation): void
  startRefusal(): void
  refusal(delta: string): void
  endPart(): void
  close(status: ItemStatus): OutputMessage
}

const NO_LOGPROBS: Logprob[] = []

export function openMessage(sink: EventSink, place: ItemPlace, phase: MessageStart['phase']): MessageWriter {
  const content: OutputPart[] = []
  let text: { value: TextBuilder; annotations: Annotation[]; logprobs: Logprob[] } | null = null
  let refusal: { value: TextBuilder } | null = null
  const at = () => ({ item_id: place.id, output_index: place.outputIndex, content_index: content.length })
  const item = (status: ItemStatus): OutputMessage => ({
    id: place.id,
    type: 'message',
    status,
    role: 'assistant',
    content: [...content],
    ...(phase === null ? {} : { phase }),
  })
  pushItem(sink, 'added', place, item('in_progress'))

  const endText = (open: NonNullable<typeof text>) => {
    const part: OutputPart = {
      type: 'output_text',
      text: open.value.toString(),
      annotations: open.annotations,
      logprobs: open.logprobs,
    }
    sink.push({
      type: 'response.output_text.done',
      sequence_number: sink.next(),
      ...at(),
      text: part.text,
      logprobs: part.logprobs,
    })
    sink.push({ type: 'response.content_part.done', sequence_number: sink.next(), ...at(), part })
    content.push(part)
    text = null
  }
  const endRefusal = (open: NonNullable<typeof refusal>) => {
    const part: OutputPart = { type: 'refusal', refusal: open.value.toString() }
    sink.push({ type: 'response.refusal.done', sequence_number: sink.next(), ...at(), refusal: part.refusal })
    sink.push({ type: 'response.content_part.done', sequence_number: sink.next(), ...at(), part })
    content.push(part)
    refusal = null
  }
  const endPart = () => {
    if (text) endText(text)
    if (refusal) endRefusal(refusal)
  }

  return {
    type: 'message',
    startText() {
      endPart()
      const part: OutputPart = { type: 'output_text', text: '', annotations: [], logprobs: [] }
      sink.push({ type: 'response.content_part.added', sequence_number: sink.next(), ...at(), part })
      text = { value: createTextBuilder(), annotations: [], logprobs: [] }
    },
    text(delta, logprobs) {
      if (!text) throw new TypeError('text outside a text part')
      text.value.add(delta)
      if (logprobs.length > 0) text.logprobs.push(...logprobs)
      sink.push({
        type: 'response.output_text.delta',
        sequence_number: sink.next(),
        item_id: place.id,
        output_index: place.outputIndex,
        content_index: content.length,
        delta,
        logprobs: logprobs.length > 0 ? [...logprobs] : NO_LOGPROBS,
      })
    },
    annotate(annotation) {
      if (!text) throw new TypeError('annotation outside a text part')
      sink.push({
        type: 'response.output_text.annotation.added',
        sequence_number: sink.next(),
        ...at(),
        annotation_index: text.annotations.length,
        annotation,
      })
      text.annotations.push(annotation)
    },
    startRefusal() {
      endPart()
      const part: OutputPart = { type: 'refusal', refusal: '' }
      sink.push({ type: 'response.content_part.added', sequence_number: sink.next(), ...at(), part })
      refusal = { value: createTextBuilder() }
    },
    refusal(delta) {
      if (!refusal) throw new TypeError('refusal text outside a refusal part')
      refusal.value.add(delta)
      sink.push({ type: 'response.refusal.delta', sequence_number: sink.next(), ...at(), delta })
    },
    endPart,
    close(status) {
      endPart()
      const done = item(status)
      pushItem(sink, 'done', place, done)
      return done
    },
  }
}
