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
import type { ModelEvent, ModelTurn } from '../model.ts'
import type { ReasoningKind } from '../upstream/blocks.ts'
import { createCallGate } from '../upstream/call-gate.ts'
import { asFields, asNumber, asText, type Fields } from '../upstream/fields.ts'
import { type CallReader, createCallReader } from './decode-calls.ts'
import { asFunctionCall } from './decode-client-call.ts'
import { createHostedReader, type HostedReader } from './decode-hosted.ts'
import { createMessageReader, type MessageReader, type PartKind } from './decode-message.ts'
import { createReasoningReader, type ReasoningReader } from './decode-reasoning.ts'
import { createFocus } from './focus.ts'

type Opened =
  | { readonly type: 'message'; readonly reader: MessageReader }
  | { readonly type: 'reasoning'; readonly reader: ReasoningReader }
  | { readonly type: 'call'; readonly reader: CallReader }
  | { readonly type: 'hosted'; readonly reader: HostedReader }
  /** Of a type that nobody asked for. */
  | { readonly type: 'other'; readonly reader: null }
type OpenItem = Opened & { readonly id: string | null }
type Key = number | string

export interface OutputDecoder {
  callCount(): number
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
  readonly tools: ModelTurn['tools']
  readonly logprobs: boolean
  /** Tools of the provider were asked for. */
  readonly hosted: boolean
}

export function createOutputDecoder(options: OutputDecoderOptions): OutputDecoder {
  const items = createOpenItems(options)
  return {
    callCount: () => items.callCount(),
    added(event, out) {
      const given = asFields(event.item)
      if (!given) return
      const item = asFunctionCall(given, options.tools, false)
      const opened = items.open(keyOf(event), item, out)
      if (opened.type === 'call') opened.reader.input(asText(item.arguments) ?? asText(item.input) ?? '', out)
    },
    done(event, out) {
      const given = asFields(event.item)
      if (!given) return
      const whole = asFunctionCall(given, options.tools, true)
      const item = items.of(event, wireType(whole), whole, out)
      items.done(item, whole, out)
      items.forget(keyOf(event))
    },
    text(event, kind, out) {
      const item = items.of(event, 'message', {}, out)
      if (item.type === 'message') item.reader.delta(event, kind, out)
    },
    annotation(event, out) {
      const item = items.known(event)
      if (item?.type === 'message') item.reader.annotation(event, out)
    },
    reasoning(event, kind, out) {
      const item = items.of(event, 'reasoning', {}, out)
      if (item.type === 'reasoning') item.reader.delta(event, kind, out)
    },
    input(event, kind, out) {
      const type = kind === 'function' ? 'function_call' : 'custom_tool_call'
      const item = items.of(event, 'call', { type }, out)
      if (item.type === 'call') item.reader.input(asText(event.delta) ?? '', out)
    },
    hosted(event, what, out) {
      const item = items.known(event)
      if (item?.type !== 'hosted') return
      if (what === 'delta') item.reader.delta(asText(event.delta) ?? '', out)
      else if (what === 'image') item.reader.image(event, out)
      else item.reader.running(out)
    },
    end: (output, out) =>
      items.end(
        output.map((item) => wholeItem(item, options.tools)),
        out,
      ),
  }
}

const wholeItem = (value: unknown, tools: ModelTurn['tools']): unknown => {
  const item = asFields(value)
  return item ? asFunctionCall(item, tools, true) : value
}

function createOpenItems({ tools, logprobs, hosted }: OutputDecoderOptions) {
  const focus = createFocus()
  const open = new Map<Key, OpenItem>()
  const calls = createCallGate(tools)
  let sawItem = false

  const newCallId = (name: string) => {
    calls.enter(name)
    return focus.blocks.newId('call')
  }
  const create = (item: Fields, out: ModelEvent[]): Opened => {
    const type = wireType(item)
    if (type === 'message') return { type, reader: createMessageReader(item, focus, logprobs) }
    if (type === 'reasoning') return { type, reader: createReasoningReader(item, focus) }
    if (type === 'call') {
      const kind = item.type === 'custom_tool_call' ? 'custom' : 'function'
      return { type, reader: createCallReader(kind, item, newCallId) }
    }
    const reader =
      type === 'hosted' && hosted ? createHostedReader(item, () => focus.blocks.newId('hosted'), out) : null
    return reader ? { type: 'hosted', reader } : { type: 'other', reader }
  }
  const openItem = (key: Key, item: Fields, out: ModelEvent[]): OpenItem => {
    sawItem = true
    focus.leave(out)
    for (const { type, reader } of open.values()) if (type === 'call') reader.endIfWhole(out)
    const opened = { ...create(item, out), id: asText(item.id) }
    open.set(key, opened)
    return opened
  }
  const done = (item: OpenItem, whole: Fields, out: ModelEvent[]) => {
    item.reader?.done(whole, out)
    if (item.reader && focus.isOn(item.reader)) focus.leave(out)
  }
  const endOpen = (output: readonly unknown[], out: ModelEvent[]) => {
    for (const [key, item] of open) {
      const whole = findWhole(item, key, output)
      if (whole) done(item, whole, out)
    }
    focus.leave(out)
    for (const { type, reader } of open.values()) {
      if (type === 'call') reader.end(out)
      else if (type === 'hosted') reader.done({}, out)
    }
    open.clear()
  }

  return {
    callCount: () => calls.count(),
    open: openItem,
    known: (event: Fields) => open.get(keyOf(event)),
    /** The item an event speaks of; where it is none of that type, one begins now. */
    of(event: Fields, type: OpenItem['type'], init: Fields, out: ModelEvent[]): OpenItem {
      const found = open.get(keyOf(event))
      if (found?.type === type) return found
      return openItem(keyOf(event), { type, id: event.item_id, ...init }, out)
    },
    done,
    forget: (key: Key) => void open.delete(key),
    end(output: readonly unknown[], out: ModelEvent[]) {
      if (sawItem) return endOpen(output, out)
      for (const whole of output.map(asFields)) if (whole) done(openItem('', whole, out), whole, out)
      endOpen([], out)
    },
  }
}

/** By its place; servers that forget to say it say at least the item's id. */
const keyOf = (event: Fields): Key => asNumber(event.output_index) ?? asText(event.item_id) ?? ''

const WIRE_TYPES: Readonly<Record<string, OpenItem['type']>> = {
  message: 'message',
  reasoning: 'reasoning',
  function_call: 'call',
  custom_tool_call: 'call',
}
const wireType = ({ type }: Fields): OpenItem['type'] =>
  WIRE_TYPES[String(type)] ?? (isHostedItem({ type: String(type) }) ? 'hosted' : 'other')

/** The item as the finished Response lists it; some servers give it another id there. */
function findWhole(item: OpenItem, key: Key, output: readonly unknown[]): Fields | null {
  const named = output.find((value) => item.id !== null && asFields(value)?.id === item.id)
  const found = asFields(named) ?? (typeof key === 'number' ? asFields(output[key]) : null)
  return found && wireType(found) === item.type ? found : null
}
