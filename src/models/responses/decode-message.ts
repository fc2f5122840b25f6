/** One message of a reply: its parts, streamed, or told at its end. */
import type { OutputMessage } from '../../protocol/items.ts'
import type { MessageStart, ModelEvent } from '../model.ts'
import { asFields, asList, asNumber, asText, type Fields } from '../upstream/fields.ts'
import { readLogprobList } from '../upstream/read-logprobs.ts'
import { readAnnotation } from './decode-annotations.ts'
import type { Focus } from './focus.ts'
import { restOf } from './rest-of.ts'

export type PartKind = 'text' | 'refusal'

export interface MessageReader {
  delta(event: Fields, kind: PartKind, out: ModelEvent[]): void
  annotation(event: Fields, out: ModelEvent[]): void
  /** The whole item: what was not streamed of it comes now. */
  done(item: Fields, out: ModelEvent[]): void
}

const PHASES: readonly NonNullable<OutputMessage['phase']>[] = ['commentary', 'final_answer']
const phaseOf = ({ phase }: Fields): MessageStart['phase'] => PHASES.find((known) => known === phase) ?? null
const indexOf = (event: Fields) => asNumber(event.content_index) ?? 0

export function createMessageReader(item: Fields, focus: Focus, logprobs: boolean): MessageReader {
  const { blocks } = focus
  /** By the index of their part. */
  const texts: string[] = []
  const annotations: number[] = []
  let phase = phaseOf(item)
  let part = ''

  const write = (index: number, kind: PartKind, event: Fields, out: ModelEvent[]) => {
    const text = asText(event.delta) ?? ''
    const probabilities = logprobs && kind === 'text' ? readLogprobList(asList(event.logprobs)) : []
    if (text === '' && probabilities.length === 0) return
    if (focus.enter(reader, out)) blocks.startMessage({ phase })
    else if (part !== `${kind}${index}`) blocks.close(out)
    part = `${kind}${index}`
    texts[index] = (texts[index] ?? '') + text
    if (kind === 'text') blocks.text(text, probabilities, out)
    else blocks.refusal(text, out)
  }
  const annotate = (index: number, value: unknown, out: ModelEvent[]) => {
    const annotation = readAnnotation(value)
    annotations[index] = (annotations[index] ?? 0) + 1
    if (annotation && focus.isOn(reader) && part === `text${index}`) blocks.annotate(annotation, out)
  }
  const writeRest = (index: number, whole: Fields, out: ModelEvent[]) => {
    const kind = whole.type === 'refusal' ? 'refusal' : 'text'
    const streamed = texts[index]
    const delta = restOf(streamed ?? '', asText(kind === 'refusal' ? whole.refusal : whole.text))
    write(index, kind, { delta, logprobs: streamed ? [] : whole.logprobs }, out)
    const missing = asList(whole.annotations).slice(annotations[index] ?? 0)
    for (const annotation of missing) annotate(index, annotation, out)
  }

  const reader: MessageReader = {
    delta: (event, kind, out) => write(indexOf(event), kind, event, out),
    annotation: (event, out) => annotate(indexOf(event), event.annotation, out),
    done(whole, out) {
      // Another item has begun since: more text would come in the wrong place.
      if (!focus.isOn(reader) && texts.length > 0) return
      phase ??= phaseOf(whole)
      for (const [index, value] of asList(whole.content).entries()) {
        const fields = asFields(value)
        if (fields) writeRest(index, fields, out)
      }
    },
  }
  return reader
}
