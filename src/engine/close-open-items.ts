/** The events that close what a log leaves open, so that a stream that was cut off ends as lawfully as every other. */
import { applyEvent } from '../protocol/apply-event.ts'
import { closedCall } from '../protocol/client-items.ts'
import type { ResponseEvent } from '../protocol/events.ts'
import { abandonedItem, isHostedItem, isOpenStatus } from '../protocol/hosted-items.ts'
import type { OutputItem } from '../protocol/items.ts'
import type { ResponseObject } from '../protocol/response.ts'

type EventOf<T extends ResponseEvent['type']> = Extract<ResponseEvent, { type: T }>
/** Without its number. */
type Closer = ResponseEvent extends infer E ? (E extends ResponseEvent ? Omit<E, 'sequence_number'> : never) : never
type OpenItem = {
  readonly item: OutputItem
  readonly place: { readonly item_id: string; readonly output_index: number }
  /** About it. */
  readonly events: readonly ResponseEvent[]
}

/** `events`: the whole log, from its first event on, which does not end the run. */
export function closeOpenItems(events: readonly ResponseEvent[]): readonly ResponseEvent[] {
  const closers = findOpen(events).flatMap((open): Closer[] => [...closePart(open), closeItem(open)])
  return closers.map((event, index) => ({ ...event, sequence_number: events.length + index }))
}

function findOpen(events: readonly ResponseEvent[]): readonly OpenItem[] {
  let snapshot: ResponseObject | null = null
  const open = new Set<number>()
  for (const event of events) {
    snapshot = applyEvent(snapshot, event)
    if (event.type === 'response.output_item.added') open.add(event.output_index)
    if (event.type === 'response.output_item.done') open.delete(event.output_index)
  }
  return [...open].flatMap((output_index) => {
    const item = snapshot?.output[output_index]
    if (item === undefined) return []
    const own = events.filter((event) => 'output_index' in event && event.output_index === output_index)
    return [{ item, place: { item_id: item.id, output_index }, events: own }]
  })
}

function closePart(open: OpenItem): readonly Closer[] {
  const { item } = open
  switch (item.type) {
    case 'function_call':
    case 'custom_tool_call':
      return closeInput(item, open)
    case 'message':
    case 'reasoning': {
      const part = open.events.findLast(isPartEvent)
      if (part?.type === 'response.content_part.added') return closeContent(part, open)
      return part?.type === 'response.reasoning_summary_part.added' ? closeSummary(part, open) : []
    }
    default:
      return []
  }
}

const PART_EVENTS: ReadonlySet<string> = new Set([
  'response.content_part.added',
  'response.content_part.done',
  'response.reasoning_summary_part.added',
  'response.reasoning_summary_part.done',
])
const isPartEvent = ({ type }: ResponseEvent) => PART_EVENTS.has(type)

function closeInput(item: Extract<OutputItem, { type: 'function_call' | 'custom_tool_call' }>, open: OpenItem) {
  const { place, events } = open
  if (item.type === 'custom_tool_call') {
    const type = 'response.custom_tool_call_input.done'
    return events.some((event) => event.type === type) ? [] : [{ type, ...place, input: item.input } as const]
  }
  const type = 'response.function_call_arguments.done'
  if (events.some((event) => event.type === type)) return []
  return [{ type, ...place, name: item.name, arguments: item.arguments } as const]
}

function closeContent(
  { content_index }: EventOf<'response.content_part.added'>,
  { item, place }: OpenItem,
): readonly Closer[] {
  const at = { ...place, content_index }
  const part = 'content' in item && Array.isArray(item.content) ? item.content[content_index] : undefined
  if (part === undefined || typeof part === 'string') return []
  const done: Closer = { type: 'response.content_part.done', ...at, part }
  switch (part.type) {
    case 'output_text':
      return [{ type: 'response.output_text.done', ...at, text: part.text, logprobs: part.logprobs }, done]
    case 'refusal':
      return [{ type: 'response.refusal.done', ...at, refusal: part.refusal }, done]
    default:
      return [{ type: 'response.reasoning_text.done', ...at, text: part.text }, done]
  }
}

function closeSummary(
  { summary_index }: EventOf<'response.reasoning_summary_part.added'>,
  { item, place }: OpenItem,
): readonly Closer[] {
  const part = item.type === 'reasoning' ? item.summary[summary_index] : undefined
  if (part === undefined) return []
  const at = { ...place, summary_index }
  return [
    { type: 'response.reasoning_summary_text.done', ...at, text: part.text },
    { type: 'response.reasoning_summary_part.done', ...at, part },
  ]
}

function closeItem({ item, place: { output_index } }: OpenItem): Closer {
  const type = 'response.output_item.done'
  if (isHostedItem(item)) {
    const isOpen = 'status' in item && isOpenStatus(item.status)
    return { type, output_index, item: isOpen ? abandonedItem(item) : item }
  }
  return { type, output_index, item: cutShort(item) }
}

function cutShort(item: OutputItem): OutputItem {
  switch (item.type) {
    case 'message':
    case 'reasoning':
    case 'function_call':
    case 'custom_tool_call':
      return { ...item, status: 'incomplete' }
    case 'shell_call_output':
      return { ...item, status: 'incomplete' }
    case 'shell_call':
    case 'local_shell_call':
    case 'apply_patch_call':
    case 'computer_call':
    case 'tool_search_call':
      return closedCall(item, 'incomplete')
    // Others are told as a whole.
    default:
      return item
  }
}
