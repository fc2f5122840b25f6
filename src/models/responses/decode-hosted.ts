/** Items of tools that the provider ran -> `hosted-*` events. */
import { readHostedItem } from '../../protocol/read-hosted-item.ts'
import type { HostedDraft, ModelEvent, PartialImage } from '../model.ts'
import { asNumber, asText, type Fields, isFields } from '../upstream/fields.ts'
import { createSurrogateJoiner, storable } from '../upstream/surrogates.ts'

export interface HostedReader {
  delta(delta: string, out: ModelEvent[]): void
  running(out: ModelEvent[]): void
  image(event: Fields, out: ModelEvent[]): void
  /** The whole item; one that makes no sense ends as it began. */
  done(item: Fields, out: ModelEvent[]): void
}

/** Null for an item of another type, or one that makes no sense: it is left out with all that is told of it. */
export function createHostedReader(item: Fields, newId: () => string, out: ModelEvent[]): HostedReader | null {
  const opened = readDraft(item)
  if (!opened) return null
  const id = newId()
  const joiner = createSurrogateJoiner()
  let ended = false
  out.push({ type: 'hosted-start', id, item: opened })
  return {
    delta(delta, to) {
      const text = joiner.push(delta)
      if (!ended && text !== '') to.push({ type: 'hosted-delta', id, delta: text })
    },
    running(to) {
      if (!ended) to.push({ type: 'hosted-running', id })
    },
    image(event, to) {
      const image = readPartialImage(event)
      if (!ended && image && opened.type === 'image_generation_call') to.push({ type: 'hosted-image', id, image })
    },
    done(whole, to) {
      if (ended) return
      ended = true
      const draft = readDraft(whole)
      to.push({ type: 'hosted-end', id, item: draft?.type === opened.type ? draft : opened })
    },
  }
}

/** The provider's id of the item stays behind; we have one of our own. */
function readDraft(item: Fields): HostedDraft | null {
  const read = readHostedItem(storableFields(item), '')
  if (!read) return null
  const { id: _, ...draft } = read
  return draft
}

/** Every text of it, however deep. */
const storableFields = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [storable(name), storableValue(value)]))

function storableValue(value: unknown): unknown {
  if (typeof value === 'string') return storable(value)
  if (Array.isArray(value)) return value.map(storableValue)
  return isFields(value) ? storableFields(value) : value
}

function readPartialImage(event: Fields): PartialImage | null {
  const partial_image_b64 = asText(event.partial_image_b64)
  const partial_image_index = asNumber(event.partial_image_index)
  if (partial_image_b64 === null || partial_image_index === null || !Number.isSafeInteger(partial_image_index))
    return null
  const options = Object.fromEntries(
    ['size', 'quality', 'background', 'output_format'].flatMap((name) => {
      const value = asText(event[name])
      return value === null ? [] : [[name, value]]
    }),
  )
  return { partial_image_index: Math.max(0, partial_image_index), partial_image_b64, ...options }
}
