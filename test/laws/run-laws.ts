/**
 * The laws of a run's events, as one function that throws on the first breach. It knows nothing of how events are
 * made: it holds a finished sequence against the contract of the stream.
 */
import assert from 'node:assert/strict'
import { isTerminal, type RunEvent, toPublicEvent } from '../../src/engine/run-event.ts'
import { applyEvent } from '../../src/protocol/apply-event.ts'
import type { ResponseEvent } from '../../src/protocol/events.ts'
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

/** Law 5: every `added` has its `done`, indexes are dense, nothing touches a closed item or part. */
function checkBracketing(events: readonly ResponseEvent[]): void {
  let items = 0
  let openItem: { id: string; index: number; parts: Map<string, number> } | null = null
  let openPart: { closer: string; deltas: string } | null = null
  for (const event of events) {
    if (event.type === 'response.output_item.added') {
      assert.equal(openItem, null, 'an item opens only after the one before it closed')
      assert.equal(event.output_index, items, 'output_index is dense')
      openItem = { id: event.item.id, index: items, parts: new Map() }
      items += 1
      continue
    }
    if (event.type === 'response.output_item.done') {
      assert.equal(openPart, null, `item ${event.output_index} closes after its parts`)
      assert.equal(event.output_index, openItem?.index, 'done names the open item')
      assert.equal(event.item.id, openItem?.id, 'done keeps the id')
      openItem = null
      continue
    }
    if (!('item_id' in event)) continue
    assert.ok(openItem, `${event.type} belongs to an open item`)
    assert.equal(event.item_id, openItem.id, `${event.type} names the open item`)
    assert.equal(event.output_index, openItem.index, `${event.type} has the index of the open item`)
    const closer = PART_OPENERS[event.type]
    if (closer) {
      assert.equal(openPart, null, 'a part opens only after the one before it closed')
      const index = 'content_index' in event ? event.content_index : 'summary_index' in event ? event.summary_index : -1
      assert.equal(index, openItem.parts.get(closer) ?? 0, 'part indexes are dense')
      openItem.parts.set(closer, index + 1)
      openPart = { closer, deltas: '' }
    } else if (event.type === openPart?.closer) {
      openPart = null
    } else if (event.type.endsWith('.delta') && ('content_index' in event || 'summary_index' in event)) {
      assert.ok(openPart, `${event.type} belongs to an open part`)
    }
  }
  assert.equal(openItem, null, 'every added item has its done')
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
