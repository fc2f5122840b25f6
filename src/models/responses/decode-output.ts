/**
 * The output items of a reply -> blocks.
 *
 * Servers follow the order of OpenAI's events more or less: some send no `done` events, some no deltas, some neither and
 * only the whole Response at the end; some name items otherwise there than in the stream. So nothing depends on an
 * event that repeats what others said: an item opens with the first event that speaks of it, and what its last event
 * holds beyond what was streamed is streamed then.
 *
 * Invariant: of text and reasoning one item is open at a time; the next item ends it. Calls may overlap.
 */
import { isHostedItem } from '../../protocol/hosted-items.ts'
import type { OutputMessage } from '../../protocol/items.ts'
import type { MessageStart, ModelEvent } from '../model.ts'
import { createBlockWriter, type ReasoningKind } from '../upstream/blocks.ts'
import { asFields, asList, asNumber, asText, type Fields } from '../upstream/fields.ts'
import { readLogprobList } from '../upstream/read-logprobs.ts'
import { readAnnotation } from './decode-annotations.ts'
import { type CallReader, createCallReader } from './decode-calls.ts'
import { createHostedReader, type HostedReader } from './decode-hosted.ts'
import { packReasoningState } from './reasoning-state.ts'
import { restOf } from './rest-of.ts'

type PartKind = 'text' | 'refusal'

/** Streamed texts and numbers of annotations are by the index of their part. */
type MessageItem = {
  readonly type: 'message'
  readonly id: string | null
  phase: MessageStart['phase']
  part: string
  readonly texts: string[]
  readonly annotations: number[]
}
type ReasoningItem = {
  readonly type: 'reasoning'
  readonly id: string | null
  readonly summary: string[]
  readonly text: string[]
}
type CallItem = { readonly type: 'call'; readonly id: string | null; readonly reader: CallReader }
type HostedItem = { readonly type: 'hosted'; readonly id: string | null; readonly reader: HostedReader }
/** Of a type that nobody asked for. */
type OtherItem = { readonly type: 'other'; readonly id: string | null }
type OpenItem = MessageItem | ReasoningItem | CallItem | HostedItem | OtherItem

export interface OutputDecoder {
  readonly callCount: number
  added(event: Fields, out: ModelEvent[]): void
  done(event: Fields, out: ModelEvent[]): void
  text(event: Fields, kind: PartKind, out: ModelEvent[]): void
  annotation(event: Fields, out: ModelEvent[]): void
  reasoning(event: Fields, kind: ReasoningKind, out: ModelEvent[]): void
  input(event: Fields, kind: 'function' | 'custom', out: ModelEvent[]): void
  /** Something of a tool that the provider runs: more of its text, that it is at work, or a first sight of an image. */
  hosted(event: Fields, what: 'delta' | 'running' | 'image', out: ModelEvent[]): void
  /** `output`: all items as the Response lists them at its end. */
  end(output: readonly unknown[], out: ModelEvent[]): void
}

export type OutputDecoderOptions = {
  readonly logprobs: boolean
  /** Tools of the provider were asked for. */
  readonly hosted: boolean
}

export function createOutputDecoder({ logprobs, hosted }: OutputDecoderOptions): OutputDecoder {
  const blocks = createBlockWriter()
  const open = new Map<number | string, OpenItem>()
  let current: MessageItem | ReasoningItem | null = null
  let callCount = 0
  let sawItem = false

  const newCallId = () => {
    callCount += 1
    return blocks.newId('call')
  }
  const openHosted = (item: Fields, out: ModelEvent[]): OpenItem => {
    const id = asText(item.id)
    const reader = createHostedReader(item, () => blocks.newId('hosted'), out)
    return reader ? { type: 'hosted', id, reader } : { type: 'other', id }
  }
  const endCurrent = (out: ModelEvent[]) => {
    blocks.close(out)
    current = null
  }
  const openItem = (key: number | string, item: Fields, out: ModelEvent[]): OpenItem => {
    sawItem = true
    endCurrent(out)
    for (const item of open.values()) if (item.type === 'call') item.reader.endIfWhole(out)
    const opened = hosted && wireType(item) === 'hosted' ? openHosted(item, out) : createItem(item, newCallId)
    open.set(key, opened)
    return opened
  }
  const itemOf = <T extends OpenItem['type']>(
    event: Fields,
    type: T,
    init: Fields,
    out: ModelEvent[],
  ): Extract<OpenItem, { type: T }> => {
    const found = open.get(keyOf(event)) ?? openItem(keyOf(event), init, out)
    const item = isOfType(found, type) ? found : openItem(keyOf(event), init, out)
    if (isOfType(item, type)) return item
    throw new TypeError(`an item that was opened as '${type}' is none`)
  }
  /** Makes the item the one that is written to. */
  const enter = (item: MessageItem | ReasoningItem, out: ModelEvent[]) => {
    if (item === current) return
    endCurrent(out)
    current = item
    if (item.type === 'message') {
      item.part = ''
      blocks.startMessage({ phase: item.phase })
    }
  }
  const writeText = (item: MessageItem, part: { index: number; kind: PartKind }, delta: Fields, out: ModelEvent[]) => {
    const { index, kind } = part
    const text = asText(delta.delta) ?? ''
    const probabilities = logprobs && kind === 'text' ? readLogprobList(asList(delta.logprobs)) : []
    if (text === '' && probabilities.length === 0) return
    enter(item, out)
    if (item.part !== `${kind}${index}`) blocks.close(out)
    item.part = `${kind}${index}`
    item.texts[index] = (item.texts[index] ?? '') + text
    if (kind === 'text') blocks.text(text, probabilities, out)
    else blocks.refusal(text, out)
  }
  const writeAnnotation = (item: MessageItem, index: number, value: unknown, out: ModelEvent[]) => {
    const annotation = readAnnotation(value)
    item.annotations[index] = (item.annotations[index] ?? 0) + 1
    if (annotation && item === current && item.part === `text${index}`) blocks.annotate(annotation, out)
  }
  const writeReasoning = (
    item: ReasoningItem,
    part: { kind: ReasoningKind; index: number },
    delta: string,
    out: ModelEvent[],
  ) => {
    if (delta === '') return
    enter(item, out)
    const texts = item[part.kind]
    texts[part.index] = (texts[part.index] ?? '') + delta
    blocks.reasoning(part.kind, part.index, delta, out)
  }

  const messageDone = (item: MessageItem, whole: Fields, out: ModelEvent[]) => {
    if (item !== current && item.texts.length > 0) return
    item.phase ??= phaseOf(whole)
    for (const [index, value] of asList(whole.content).entries()) {
      const part = asFields(value)
      if (!part) continue
      const kind = part.type === 'refusal' ? 'refusal' : 'text'
      const streamed = item.texts[index]
      const delta = restOf(streamed ?? '', asText(kind === 'refusal' ? part.refusal : part.text))
      writeText(item, { index, kind }, { delta, logprobs: streamed ? [] : part.logprobs }, out)
      const missing = asList(part.annotations).slice(item.annotations[index] ?? 0)
      for (const annotation of missing) writeAnnotation(item, index, annotation, out)
    }
  }
  const reasoningDone = (item: ReasoningItem, whole: Fields, out: ModelEvent[]) => {
    const parts = [
      ['summary', asList(whole.summary)],
      ['text', asList(whole.content)],
    ] as const
    const isOver = item !== current && item.summary.length + item.text.length > 0
    for (const [kind, list] of isOver ? [] : parts) {
      for (const [index, value] of list.entries()) {
        writeReasoning(item, { kind, index }, restOf(item[kind][index] ?? '', asText(asFields(value)?.text)), out)
      }
    }
    const encryptedContent = asText(whole.encrypted_content)
    if (encryptedContent === null) return
    const state = packReasoningState({ id: asText(whole.id) ?? item.id, encryptedContent })
    if (item !== current) endCurrent(out)
    if (blocks.isReasoning) blocks.close(out, state)
    else blocks.state(state, out)
  }
  const itemDone = (item: OpenItem, whole: Fields, out: ModelEvent[]) => {
    if (item.type === 'message') messageDone(item, whole, out)
    else if (item.type === 'reasoning') reasoningDone(item, whole, out)
    else if (item.type === 'call' || item.type === 'hosted') item.reader.done(whole, out)
    if (item === current) endCurrent(out)
  }

  return {
    get callCount() {
      return callCount
    },
    added(event, out) {
      const item = asFields(event.item)
      if (!item) return
      const opened = openItem(keyOf(event), item, out)
      if (opened.type === 'call') opened.reader.input(asText(item.arguments) ?? asText(item.input) ?? '', out)
    },
    done(event, out) {
      const whole = asFields(event.item)
      if (!whole) return
      const key = keyOf(event)
      const found = open.get(key)
      const item = found && isOfType(found, wireType(whole)) ? found : openItem(key, whole, out)
      itemDone(item, whole, out)
      open.delete(key)
    },
    text(event, kind, out) {
      const item = itemOf(event, 'message', { type: 'message', id: event.item_id }, out)
      writeText(item, { index: asNumber(event.content_index) ?? 0, kind }, event, out)
    },
    annotation(event, out) {
      const item = open.get(keyOf(event))
      if (item?.type !== 'message') return
      writeAnnotation(item, asNumber(event.content_index) ?? 0, event.annotation, out)
    },
    reasoning(event, kind, out) {
      const item = itemOf(event, 'reasoning', { type: 'reasoning', id: event.item_id }, out)
      const index = asNumber(kind === 'summary' ? event.summary_index : event.content_index) ?? 0
      writeReasoning(item, { kind, index }, asText(event.delta) ?? '', out)
    },
    input(event, kind, out) {
      const type = kind === 'function' ? 'function_call' : 'custom_tool_call'
      const item = itemOf(event, 'call', { type, id: event.item_id }, out)
      item.reader.input(asText(event.delta) ?? '', out)
    },
    hosted(event, what, out) {
      const item = open.get(keyOf(event))
      if (item?.type !== 'hosted') return
      if (what === 'delta') item.reader.delta(asText(event.delta) ?? '', out)
      else if (what === 'image') item.reader.image(event, out)
      else item.reader.running(out)
    },
    end(output, out) {
      for (const [key, item] of sawItem ? open : []) {
        const whole = findWhole(item, key, output)
        if (whole) itemDone(item, whole, out)
      }
      for (const whole of sawItem ? [] : output.map(asFields)) {
        if (whole) itemDone(openItem('', whole, out), whole, out)
      }
      endCurrent(out)
      for (const item of open.values()) {
        if (item.type === 'call') item.reader.end(out)
        else if (item.type === 'hosted') item.reader.done({}, out)
      }
      open.clear()
    },
  }
}

/** By its place; servers that forget to say it say at least the item's id. */
const keyOf = (event: Fields): number | string => asNumber(event.output_index) ?? asText(event.item_id) ?? ''

function isOfType<T extends OpenItem['type']>(item: OpenItem, type: T): item is Extract<OpenItem, { type: T }> {
  return item.type === type
}

const WIRE_TYPES: Readonly<Record<string, OpenItem['type']>> = {
  message: 'message',
  reasoning: 'reasoning',
  function_call: 'call',
  custom_tool_call: 'call',
}
const wireType = ({ type }: Fields): OpenItem['type'] =>
  WIRE_TYPES[String(type)] ?? (isHostedItem({ type: String(type) }) ? 'hosted' : 'other')

function createItem(item: Fields, newCallId: () => string): OpenItem {
  const id = asText(item.id)
  const type = wireType(item)
  switch (type) {
    case 'message':
      return { type, id, phase: phaseOf(item), part: '', texts: [], annotations: [] }
    case 'reasoning':
      return { type, id, summary: [], text: [] }
    case 'call': {
      const kind = item.type === 'function_call' ? 'function' : 'custom'
      return { type, id, reader: createCallReader(kind, item, newCallId) }
    }
    default:
      return { type: 'other', id }
  }
}

const PHASES: readonly NonNullable<OutputMessage['phase']>[] = ['commentary', 'final_answer']
const phaseOf = ({ phase }: Fields): MessageStart['phase'] => PHASES.find((known) => known === phase) ?? null

/** The item as the finished Response lists it; some servers give it another id there. */
function findWhole(item: OpenItem, key: number | string, output: readonly unknown[]): Fields | null {
  const named = output.find((value) => item.id !== null && asFields(value)?.id === item.id)
  const found = asFields(named) ?? (typeof key === 'number' ? asFields(output[key]) : null)
  return found && wireType(found) === item.type ? found : null
}
