/**
 * The composer: the only writer of `sequence_number`, `output_index`, `content_index` and of the Response snapshot
 * (law 3).
 *
 * Invariants:
 * - Items stream one after another, so indexes are dense. Beside the one that streams only calls are open that run here:
 *   each was set aside when it was made, and is closed when it has run.
 * - What was put into an event is never changed afterwards; a batch may be serialised long after it was made.
 * - An item is closed only when the next one opens or the run ends, because only then is its status known: a token
 *   limit makes the last item `incomplete`.
 * - After `end` nothing more is written.
 */
import { type Clock, seconds } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { MessageStart } from '../models/model.ts'
import type { ClientCall, ShellCallOutput, ToolSearchOutput } from '../protocol/client-items.ts'
import type { ApiError } from '../protocol/errors.ts'
import type { ResponseEvent } from '../protocol/events.ts'
import type { HostedItem } from '../protocol/hosted-items.ts'
import { ITEM_ID_PREFIX, type ItemStatus, type OutputItem } from '../protocol/items.ts'
import { joinOutputText } from '../protocol/output-text.ts'
import type { ResponseError, ResponseObject, Usage } from '../protocol/response.ts'
import { type CallItem, type CallWriter, openCall } from './compose-call.ts'
import { type ClientCallWriter, openClientCall } from './compose-client-call.ts'
import { type HostedWriter, openHosted } from './compose-hosted.ts'
import { type MessageWriter, openMessage } from './compose-message.ts'
import { openReasoning, type ReasoningWriter } from './compose-reasoning.ts'
import { openShellOutput, type ShellOutputWriter } from './compose-shell-output.ts'
import { type EventSink, type ItemPlace, pushItem } from './event-sink.ts'
import type { RunBatch, RunEvent, TerminalEvent } from './run-event.ts'

/** How a run ends. */
export type RunEnd =
  | { readonly status: 'completed' }
  | { readonly status: 'incomplete'; readonly reason: 'max_output_tokens' | 'content_filter' }
  | { readonly status: 'failed'; readonly error: ResponseError; readonly cause: ApiError }
  | { readonly status: 'cancelled' }

type OpenWriter = MessageWriter | ReasoningWriter | CallWriter | ClientCallWriter | HostedWriter

/** Of items that are open while others follow. */
type AsideWriter = HostedWriter | ShellOutputWriter

export class EventComposer {
  readonly #initial: ResponseObject
  readonly #ids: Ids
  readonly #clock: Clock
  readonly #sink: EventSink
  readonly #output: OutputItem[] = []
  /** Items so far, closed or not. */
  #count = 0
  readonly #aside = new Map<AsideWriter, number>()
  #batch: RunEvent[] = []
  #sequence = 0
  #open: OpenWriter | null = null
  #ended = false

  /** `initial`: the Response as it begins: `in_progress` or `queued`, no output, no usage. */
  constructor(initial: ResponseObject, deps: { ids: Ids; clock: Clock }) {
    this.#initial = initial
    this.#ids = deps.ids
    this.#clock = deps.clock
    this.#sink = { next: () => this.#sequence++, push: (event) => this.#batch.push(event) }
  }

  /** The events since the last call. */
  take(): RunBatch {
    const batch = this.#batch
    this.#batch = []
    return batch
  }

  /** What a response that waits has told: everything up to `response.queued`. */
  queued(): readonly ResponseEvent[] {
    return this.take().flatMap((event) => {
      const isTold = event.type === 'response.created' || event.type === 'response.queued'
      return isTold ? [event] : []
    })
  }

  get hasEvents(): boolean {
    return this.#batch.length > 0
  }

  /** The closed items. Those before one that is set aside have their places, so ask when none is. */
  get output(): readonly OutputItem[] {
    return this.#output
  }

  get ended(): boolean {
    return this.#ended
  }

  begin(): void {
    const response = this.#initial
    const isQueued = response.status === 'queued'
    this.#sink.push({ type: 'response.created', sequence_number: this.#sink.next(), response })
    if (isQueued) this.#sink.push({ type: 'response.queued', sequence_number: this.#sink.next(), response })
    const begun: ResponseObject = isQueued ? { ...response, status: 'in_progress' } : response
    this.#sink.push({ type: 'response.in_progress', sequence_number: this.#sink.next(), response: begun })
  }

  /** The open message, or a new one: text that follows text joins the same message unless it `start`s another. */
  message(start?: MessageStart): MessageWriter {
    if (!start && this.#open?.type === 'message') return this.#open
    const writer = openMessage(this.#sink, this.#place(ITEM_ID_PREFIX.message), start?.phase ?? null)
    this.#open = writer
    return writer
  }

  reasoning(): ReasoningWriter {
    const writer = openReasoning(this.#sink, this.#place(ITEM_ID_PREFIX.reasoning))
    this.#open = writer
    return writer
  }

  /** `open` makes the item from the id it gets. */
  call(prefix: string, open: (itemId: string) => CallItem): CallWriter {
    const place = this.#place(prefix)
    const writer = openCall(this.#sink, place, open(place.id))
    this.#open = writer
    return writer
  }

  /** `open` makes the whole item from the id it gets. */
  clientCall(prefix: string, open: (itemId: string) => ClientCall): ClientCallWriter {
    const place = this.#place(prefix)
    const writer = openClientCall(this.#sink, place, open(place.id))
    this.#open = writer
    return writer
  }

  /** `open` makes the item of a tool that runs here from the id it gets. */
  hosted(prefix: string, open: (itemId: string) => HostedItem): HostedWriter {
    const place = this.#place(prefix)
    const writer = openHosted(this.#sink, place, open(place.id))
    this.#open = writer
    return writer
  }

  /** What commands that run here say; set aside from the beginning. `open` makes the item from the id it gets. */
  shellOutput(open: (itemId: string) => ShellCallOutput): ShellOutputWriter {
    const place = this.#place(ITEM_ID_PREFIX.shell_call_output)
    const writer = openShellOutput(this.#sink, place, open(place.id))
    this.#aside.set(writer, place.outputIndex)
    return writer
  }

  /** A whole item at once: nothing of a summary is shown before it is complete and sealed. */
  compaction(encryptedContent: string): void {
    const place = this.#place(ITEM_ID_PREFIX.compaction)
    const item = { id: place.id, type: 'compaction', encrypted_content: encryptedContent } as const
    pushItem(this.#sink, 'added', place, { ...item, encrypted_content: '' })
    pushItem(this.#sink, 'done', place, item)
    this.#output[place.outputIndex] = item
  }

  /** An item that nothing streams of. `open` makes it from the id it gets. */
  whole(prefix: string, open: (itemId: string) => ToolSearchOutput): void {
    const place = this.#place(prefix)
    const item = open(place.id)
    pushItem(this.#sink, 'added', place, { ...item, status: 'in_progress' })
    pushItem(this.#sink, 'done', place, item)
    this.#output[place.outputIndex] = item
  }

  closeItem(status: ItemStatus): void {
    if (!this.#open) return
    this.#output[this.#count - 1] = this.#open.close(status)
    this.#open = null
  }

  /** The open item stays open while others follow it. */
  setAside(writer: HostedWriter): void {
    if (this.#open !== writer) throw new TypeError('only the open item is set aside')
    this.#aside.set(writer, this.#count - 1)
    this.#open = null
  }

  /** Closes an item that was set aside; nothing for one that was closed already. */
  closeAside(writer: AsideWriter): void {
    const index = this.#aside.get(writer)
    if (index === undefined) return
    this.#aside.delete(writer)
    this.#output[index] = writer.close()
  }

  /** Closes what is open and writes the terminal event. */
  end(end: RunEnd, usage: Usage | null): void {
    if (this.#ended) throw new TypeError('a run ends once')
    for (const writer of this.#aside.keys()) this.closeAside(writer)
    this.closeItem(end.status === 'completed' ? 'completed' : 'incomplete')
    this.#ended = true
    const sequence_number = this.#sink.next()
    const response = finishedResponse(this.#initial, this.#output, end, usage, seconds(this.#clock))
    if (end.status === 'failed') this.#batch.push({ type: 'run.failed', sequence_number, response, error: end.cause })
    else if (end.status === 'cancelled') this.#batch.push({ type: 'run.cancelled', sequence_number, response })
    else this.#batch.push({ type: `response.${end.status}`, sequence_number, response })
  }

  #place(prefix: string): ItemPlace {
    if (this.#ended) throw new TypeError('no item opens after the end of a run')
    this.closeItem('completed')
    return { id: this.#ids.next(prefix), outputIndex: this.#count++ }
  }
}

function finishedResponse(
  initial: ResponseObject,
  output: OutputItem[],
  end: RunEnd,
  usage: Usage | null,
  now: number,
): ResponseObject {
  return {
    ...initial,
    status: end.status,
    completed_at: end.status === 'completed' ? now : null,
    error: end.status === 'failed' ? end.error : null,
    incomplete_details: end.status === 'incomplete' ? { reason: end.reason } : null,
    output,
    output_text: joinOutputText(output),
    usage,
  }
}

/**
 * The same end, turned into a failure: for a terminal state that could not be made durable and so must not be told
 * as reached (law 6). Items and sequence number stay.
 */
export function toFailedEnd(event: TerminalEvent, error: ResponseError, cause: ApiError): TerminalEvent {
  const response: ResponseObject = {
    ...event.response,
    status: 'failed',
    completed_at: null,
    incomplete_details: null,
    error,
  }
  return { type: 'run.failed', sequence_number: event.sequence_number, response, error: cause }
}
