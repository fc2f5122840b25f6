/**
 * The laws of a run's events, as one function that throws on the first breach. It knows nothing of how events are
 * made: it holds a finished sequence against the contract of the stream.
 */
import assert from 'node:assert/strict'
import { isTerminal, type RunEvent, toPublicEvent } from '../../src/engine/run-event.ts'
import { applyEvent } from '../../src/protocol/apply-event.ts'
import type { ResponseEvent } from '../../src/protocol/events.ts'
import { isHostedItem } from '../../src/protocol/hosted-items.ts'
import type { ResponseObject } from '../../src/protocol/response.ts'

export function checkRunLaws(events: readonly RunEvent[]): ResponseObject {
  const terminal = checkOneTerminal(events)
  const shown = events.map(toPublicEvent)
  checkSequence(shown)
  checkBracketing(shown)
  checkFold(shown, terminal)
  return terminal
}

/** Law 2: exactly one terminal event, and it is last; the first is `response.created`. */
function checkOneTerminal(events: readonly RunEvent[]): ResponseObject {
  assert.equal(events[0]?.type, 'response.created', 'the first event is response.created')
  const begun = events[1]?.type === 'response.queued' ? events[2] : events[1]
  assert.equal(
    begun?.type,
    'response.in_progress',
    'response.in_progress follows, after response.queued where it waited',
  )
  const terminals = events.filter(isTerminal)
  assert.equal(terminals.length, 1, 'exactly one terminal event')
  const [terminal] = terminals
  assert.ok(terminal && events.at(-1) === terminal, 'the terminal event is last')
  return terminal.response
}

/** Law 3: numbers from 0, without gaps. */
function checkSequence(events: readonly ResponseEvent[]): void {
  events.forEach((event, index) => {
    assert.equal(event.sequence_number, index, `sequence number of ${event.type}`)
  })
}

const PART_OPENERS: Readonly<Record<string, string>> = {
  'response.content_part.added': 'response.content_part.done',
  'response.reasoning_summary_part.added': 'response.reasoning_summary_part.done',
}

type OpenItem = { readonly id: string; readonly parts: Map<string, number> }

/**
 * Law 5: every `added` has its `done`, indexes are dense, nothing touches a closed item or part. Beside the newest item
 * only those of tools that run here may be open.
 */
function checkBracketing(events: readonly ResponseEvent[]): void {
  let items = 0
  const open = new Map<number, OpenItem>()
  let streaming: number | null = null
  let openPart: { closer: string; index: number } | null = null
  for (const event of events) {
    if (event.type === 'response.output_item.added') {
      assert.equal(streaming, null, 'an item opens only after the one before it closed, or was set aside')
      assert.equal(event.output_index, items, 'output_index is dense')
      open.set(items, { id: event.item.id, parts: new Map() })
      streaming = isHostedItem(event.item) ? null : items
      items += 1
      continue
    }
    if (event.type === 'response.output_item.done') {
      if (openPart) assert.notEqual(openPart.index, event.output_index, 'an item closes after its parts')
      assert.equal(event.item.id, open.get(event.output_index)?.id, 'done names an open item')
      open.delete(event.output_index)
      if (streaming === event.output_index) streaming = null
      continue
    }
    if (!('output_index' in event)) continue
    const openItem = open.get(event.output_index)
    assert.ok(openItem, `${event.type} belongs to an open item`)
    if ('item_id' in event) assert.equal(event.item_id, openItem.id, `${event.type} names the open item`)
    const closer = PART_OPENERS[event.type]
    if (closer) {
      assert.equal(openPart, null, 'a part opens only after the one before it closed')
      const index = 'content_index' in event ? event.content_index : 'summary_index' in event ? event.summary_index : -1
      assert.equal(index, openItem.parts.get(closer) ?? 0, 'part indexes are dense')
      openItem.parts.set(closer, index + 1)
      openPart = { closer, index: event.output_index }
    } else if (event.type === openPart?.closer) {
      openPart = null
    } else if (event.type.endsWith('.delta') && ('content_index' in event || 'summary_index' in event)) {
      assert.ok(openPart, `${event.type} belongs to an open part`)
    }
  }
  assert.equal(open.size, 0, 'every added item has its done')
  assert.equal(openPart, null, 'every added part has its done')
}

/** Law 4: the fold of all events is the terminal snapshot; without the terminal event it has the same output. */
function checkFold(events: readonly ResponseEvent[], terminal: ResponseObject): void {
  let snapshot: ResponseObject | null = null
  for (const event of events.slice(0, -1)) snapshot = applyEvent(snapshot, event)
  assert.deepEqual(snapshot?.output, terminal.output, 'the events alone yield the output of the snapshot')
  assert.equal(snapshot?.output_text, terminal.output_text, 'the events alone yield the text of the snapshot')
  const last = events.at(-1)
  assert.ok(last)
  assert.deepEqual(applyEvent(snapshot, last), terminal, 'the terminal event completes the snapshot')
}
