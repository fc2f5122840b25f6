/**
 * The pure fold of a response's events (law 4): folded over all of them it gives the terminal snapshot, and without the
 * terminal event it already gives the same `output` and `output_text`. It is the oracle that the composer, the stores
 * and the transports are held against, so it tolerates nothing: an event that does not follow from those before it
 * throws a TypeError, as the clients' own accumulators do.
 *
 * Nothing is changed in place; snapshots share what did not change.
 */
import { isClientCall, type ShellCall, streamedCommands } from './client-items.ts'
import type { OutputPart, ReasoningText, SummaryText } from './content.ts'
import type { ResponseEvent } from './events.ts'
import { applyHostedEvent, isHostedEvent, streamedText } from './hosted-events.ts'
import { isHostedItem, isOpenStatus } from './hosted-items.ts'
import type { CustomToolCall, FunctionCall, OutputItem, ReasoningItem } from './items.ts'
import { joinOutputText } from './output-text.ts'
import type { ResponseObject } from './response.ts'
import { applyShellProgress } from './shell-output.ts'

type EventOf<T extends ResponseEvent['type']> = Extract<ResponseEvent, { type: T }>
type Part = OutputPart | ReasoningText

/** @throws TypeError when the event may not follow */
export function applyEvent(snapshot: ResponseObject | null, event: ResponseEvent): ResponseObject {
  if (event.type === 'response.created') {
    assert(snapshot === null, event, 'a response is created once')
    return event.response
  }
  assert(snapshot !== null, event, 'response.created comes first')
  switch (event.type) {
    case 'response.queued':
    case 'response.in_progress':
    case 'response.completed':
    case 'response.failed':
    case 'response.incomplete':
      assert(event.response.id === snapshot.id, event, 'the response keeps its id')
      return event.response
    case 'error':
      return snapshot
    case 'response.output_item.added':
      assert(event.output_index === snapshot.output.length, event, 'output_index appends')
      return withOutput(snapshot, [...snapshot.output, event.item])
    default:
      return changeItem(snapshot, event, (item) => changedItem(item, event))
  }
}

type ItemEvent = Exclude<
  ResponseEvent,
  EventOf<
    | 'response.created'
    | 'response.queued'
    | 'response.in_progress'
    | 'response.completed'
    | 'response.failed'
    | 'response.incomplete'
    | 'response.output_item.added'
    | 'error'
  >
>

function changedItem(item: OutputItem, event: ItemEvent): OutputItem {
  if (isHostedEvent(event)) {
    assert(isHostedItem(item), event, `it does not belong to a ${item.type}`)
    return applyHostedEvent(item, event)
  }
  switch (event.type) {
    case 'response.output_item.done':
      return closeItem(item, event)
    case 'response.function_call_arguments.delta':
    case 'response.function_call_arguments.done':
      assert(item.type === 'function_call', event, `it belongs to a function_call, not to a ${item.type}`)
      return changeFunctionCall(item, event)
    case 'response.custom_tool_call_input.delta':
    case 'response.custom_tool_call_input.done':
      assert(item.type === 'custom_tool_call', event, `it belongs to a custom_tool_call, not to a ${item.type}`)
      return changeCustomCall(item, event)
    case 'response.shell_call_command.added':
    case 'response.shell_call_command.delta':
    case 'response.shell_call_command.done':
      assert(item.type === 'shell_call', event, `it belongs to a shell_call, not to a ${item.type}`)
      return { ...item, action: { ...item.action, commands: changeCommands(item.action.commands, event) } }
    case 'response.shell_call_output_content.delta':
    case 'response.shell_call_output_content.done':
      assert(item.type === 'shell_call_output', event, `it belongs to a shell_call_output, not to a ${item.type}`)
      return applyShellProgress(item, event)
    case 'response.reasoning_summary_part.added':
    case 'response.reasoning_summary_part.done':
    case 'response.reasoning_summary_text.delta':
    case 'response.reasoning_summary_text.done':
      assert(item.type === 'reasoning', event, `it belongs to a reasoning item, not to a ${item.type}`)
      return { ...item, summary: changeSummary(item.summary, event) }
    default:
      return changeContent(item, event)
  }
}

function closeItem(item: OutputItem, event: EventOf<'response.output_item.done'>): OutputItem {
  assert(event.item.id === item.id && event.item.type === item.type, event, 'an item keeps its id and type')
  const callId = 'call_id' in event.item ? event.item.call_id : null
  assert(callId === ('call_id' in item ? item.call_id : null), event, 'a call keeps its call_id')
  assert(!('status' in event.item) || !isOpenStatus(event.item.status), event, 'a done item is not in progress')
  assertRepeats(textsOf(item).join('\0'), textsOf(event.item).join('\0'), event)
  return event.item
}

/** Everything of an item that is streamed piece by piece. */
function textsOf(item: OutputItem): readonly string[] {
  if (isHostedItem(item)) return [streamedText(item)]
  if (isClientCall(item)) return streamedCommands(item)
  if (item.type === 'tool_search_output' || item.type === 'shell_call_output') return []
  switch (item.type) {
    case 'message':
      return item.content.map(textOf)
    case 'reasoning':
      return [...item.summary, ...(item.content ?? [])].map(textOf)
    case 'function_call':
      return [item.arguments]
    case 'custom_tool_call':
      return [item.input]
    case 'compaction':
      return []
    default:
      return item satisfies never
  }
}

function changeFunctionCall(
  item: FunctionCall,
  event: EventOf<'response.function_call_arguments.delta' | 'response.function_call_arguments.done'>,
): FunctionCall {
  if (event.type === 'response.function_call_arguments.delta') {
    return { ...item, arguments: item.arguments + event.delta }
  }
  assert(event.name === item.name, event, 'it repeats the name')
  assertRepeats(item.arguments, event.arguments, event)
  return item
}

function changeCustomCall(
  item: CustomToolCall,
  event: EventOf<'response.custom_tool_call_input.delta' | 'response.custom_tool_call_input.done'>,
): CustomToolCall {
  if (event.type === 'response.custom_tool_call_input.delta') return { ...item, input: item.input + event.delta }
  assertRepeats(item.input, event.input, event)
  return item
}

function changeCommands(
  commands: ShellCall['action']['commands'],
  event: EventOf<
    'response.shell_call_command.added' | 'response.shell_call_command.delta' | 'response.shell_call_command.done'
  >,
): ShellCall['action']['commands'] {
  if (event.type === 'response.shell_call_command.added') {
    assert(event.command_index === commands.length, event, 'command_index appends')
    return [...commands, event.command]
  }
  return replaceAt(commands, event.command_index, event, (command) => {
    if (event.type === 'response.shell_call_command.delta') return command + event.delta
    assertRepeats(command, event.command, event)
    return command
  })
}

function changeSummary(
  summary: ReasoningItem['summary'],
  event: EventOf<
    | 'response.reasoning_summary_part.added'
    | 'response.reasoning_summary_part.done'
    | 'response.reasoning_summary_text.delta'
    | 'response.reasoning_summary_text.done'
  >,
): ReasoningItem['summary'] {
  if (event.type === 'response.reasoning_summary_part.added') {
    assert(event.summary_index === summary.length && event.part.text === '', event, 'an empty part is appended')
    return [...summary, event.part]
  }
  return replaceAt(summary, event.summary_index, event, (part) => {
    if (event.type === 'response.reasoning_summary_text.delta') return { ...part, text: part.text + event.delta }
    const done = event.type === 'response.reasoning_summary_text.done' ? event.text : event.part.text
    assertRepeats(part.text, done, event)
    return part
  })
}

type ContentEvent = EventOf<
  | 'response.content_part.added'
  | 'response.content_part.done'
  | 'response.output_text.delta'
  | 'response.output_text.done'
  | 'response.output_text.annotation.added'
  | 'response.refusal.delta'
  | 'response.refusal.done'
  | 'response.reasoning_text.delta'
  | 'response.reasoning_text.done'
>

function changeContent(item: OutputItem, event: ContentEvent): OutputItem {
  if (item.type === 'message') return { ...item, content: changeParts<OutputPart>(item.content, event, isOutputPart) }
  assert(item.type === 'reasoning', event, `a ${item.type} has no content parts`)
  return { ...item, content: changeParts<ReasoningText>(item.content ?? [], event, isReasoningPart) }
}

const isReasoningPart = (part: Part): part is ReasoningText => part.type === 'reasoning_text'
const isOutputPart = (part: Part): part is OutputPart => !isReasoningPart(part)

/** `isOwn` keeps message parts out of reasoning items, and the other way round. */
function changeParts<T extends Part>(parts: readonly T[], event: ContentEvent, isOwn: (part: Part) => part is T): T[] {
  const own = (part: Part): T => {
    assert(isOwn(part), event, `a part of type ${part.type} does not belong into this item`)
    return part
  }
  if (event.type === 'response.content_part.added') {
    assert(event.content_index === parts.length, event, 'content_index appends')
    assert(textOf(event.part) === '', event, 'a part starts empty')
    return [...parts, own(event.part)]
  }
  return replaceAt(parts, event.content_index, event, (part) => own(changedPart(part, event)))
}

function changedPart(part: Part, event: Exclude<ContentEvent, EventOf<'response.content_part.added'>>): Part {
  switch (event.type) {
    case 'response.content_part.done':
      assert(event.part.type === part.type, event, 'a part keeps its type')
      assertRepeats(textOf(part), textOf(event.part), event)
      assertRepeats(countsOf(part), countsOf(event.part), event)
      return event.part
    case 'response.output_text.delta':
      assert(part.type === 'output_text', event, `it belongs to output_text, not to ${part.type}`)
      return { ...part, text: part.text + event.delta, logprobs: [...part.logprobs, ...event.logprobs] }
    case 'response.output_text.done':
      assert(part.type === 'output_text', event, `it belongs to output_text, not to ${part.type}`)
      assert(event.logprobs.length === part.logprobs.length, event, 'it repeats the log probabilities')
      return repeated(part, event.text, event)
    case 'response.output_text.annotation.added':
      assert(part.type === 'output_text', event, `it belongs to output_text, not to ${part.type}`)
      assert(event.annotation_index === part.annotations.length, event, 'annotation_index appends')
      return { ...part, annotations: [...part.annotations, event.annotation] }
    case 'response.refusal.delta':
      assert(part.type === 'refusal', event, `it belongs to a refusal, not to ${part.type}`)
      return { ...part, refusal: part.refusal + event.delta }
    case 'response.refusal.done':
      assert(part.type === 'refusal', event, `it belongs to a refusal, not to ${part.type}`)
      return repeated(part, event.refusal, event)
    case 'response.reasoning_text.delta':
      assert(part.type === 'reasoning_text', event, `it belongs to reasoning_text, not to ${part.type}`)
      return { ...part, text: part.text + event.delta }
    case 'response.reasoning_text.done':
      assert(part.type === 'reasoning_text', event, `it belongs to reasoning_text, not to ${part.type}`)
      return repeated(part, event.text, event)
    default:
      return event satisfies never
  }
}

const textOf = (part: Part | SummaryText) => (part.type === 'refusal' ? part.refusal : part.text)

/** What came with the text, told apart by number. */
const countsOf = (part: Part) =>
  part.type === 'output_text' ? `${part.annotations.length} annotations, ${part.logprobs.length} logprobs` : ''

function repeated<T extends Part>(part: T, text: string, event: ResponseEvent): T {
  assertRepeats(textOf(part), text, event)
  return part
}

function assertRepeats(streamed: string, done: string, event: ResponseEvent): void {
  assert(streamed === done, event, 'it repeats exactly what was streamed')
}

/** Applies a change to the open item that the event names by index and, where it has one, by id. */
function changeItem(
  snapshot: ResponseObject,
  event: ItemEvent,
  change: (item: OutputItem) => OutputItem,
): ResponseObject {
  const output = replaceAt(snapshot.output, event.output_index, event, (item) => {
    const id = event.type === 'response.output_item.done' ? event.item.id : 'item_id' in event ? event.item_id : item.id
    assert(id === item.id, event, `item_id is '${id}', but the item there is '${item.id}'`)
    assert(isOpen(item), event, 'the item is closed')
    return change(item)
  })
  return withOutput(snapshot, output)
}

/** Some items come without a status; whether they are open cannot be told then. A compaction starts empty. */
const isOpen = (item: OutputItem) =>
  item.type === 'compaction' ? item.encrypted_content === '' : !('status' in item) || isOpenStatus(item.status)

function withOutput(snapshot: ResponseObject, output: OutputItem[]): ResponseObject {
  return { ...snapshot, output, output_text: joinOutputText(output) }
}

function replaceAt<T>(list: readonly T[], index: number, event: ResponseEvent, change: (old: T) => T): T[] {
  const old = list[index]
  assert(old !== undefined, event, `nothing was opened at index ${index}`)
  return list.with(index, change(old))
}

function assert(condition: boolean, event: ResponseEvent, rule: string): asserts condition {
  if (!condition)
    throw new TypeError(`${event.type} (sequence number ${event.sequence_number}) is illegal here: ${rule}`)
}
