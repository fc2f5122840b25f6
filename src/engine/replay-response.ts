/**
 * A run that is over, as a stream of events: what a client of the first run could have seen, had each part come in one
 * piece. Folded, the events give the response again; a JSON sink reads the same stream to its end.
 */
import type { Ids } from '../lib/ids.ts'
import { isClientCall, type ShellCallOutput } from '../protocol/client-items.ts'
import type { OutputPart } from '../protocol/content.ts'
import { streamedText } from '../protocol/hosted-events.ts'
import { type HostedItem, openedItem } from '../protocol/hosted-items.ts'
import { ITEM_ID_PREFIX, type ItemStatus, type OutputItem, type ReasoningItem } from '../protocol/items.ts'
import type { ResponseObject } from '../protocol/response.ts'
import type { CallItem } from './compose-call.ts'
import { EventComposer, type RunEnd } from './compose-events.ts'
import type { Run, RunReport } from './engine.ts'
import type { RunBatch } from './run-event.ts'

const MS_PER_SECOND = 1000

/** Of a run that made no call. */
export const NO_REPORT: RunReport = {
  provider: '',
  upstreamModel: '',
  fallbackFrom: null,
  warnings: [],
  attempts: 0,
  upstreamRequestId: null,
  overheadMs: 0,
  costUsd: null,
}

export const replayRun = (response: ResponseObject): Run => ({
  responseId: response.id,
  events: retellResponse(response),
  warnings: [],
  replayed: true,
  report: () => NO_REPORT,
})

/** @param response an answer: `completed` or `incomplete` */
export async function* retellResponse(response: ResponseObject): AsyncGenerator<RunBatch, void> {
  const composer = new EventComposer(beginningOf(response), {
    ids: idsOf(response.output),
    clock: {
      now: () => (response.completed_at ?? 0) * MS_PER_SECOND,
      monotonic: () => 0,
      after: () => () => {},
    },
  })
  composer.begin()
  yield composer.take()
  for (const item of response.output) {
    writeItem(composer, item)
    composer.closeItem(endStatusOf(item))
    yield composer.take()
  }
  composer.end(endOf(response), response.usage)
  yield composer.take()
}

/** Items that have further ways to end say so themselves. */
const endStatusOf = (item: OutputItem): ItemStatus =>
  'status' in item && item.status === 'incomplete' ? 'incomplete' : 'completed'

const beginningOf = (response: ResponseObject): ResponseObject => ({
  ...response,
  status: 'in_progress',
  completed_at: null,
  error: null,
  incomplete_details: null,
  output: [],
  output_text: '',
  usage: null,
})

/** The ids the items have already, in their order. */
function idsOf(output: readonly OutputItem[]): Ids {
  const ids = output.map((item) => item.id).values()
  return {
    next(prefix) {
      const { value, done } = ids.next()
      if (done) throw new TypeError(`a replayed response has no further item ('${prefix}')`)
      return value
    },
    random: () => 0,
  }
}

function endOf({ status, incomplete_details }: ResponseObject): RunEnd {
  if (status === 'incomplete') {
    return { status, reason: incomplete_details?.reason ?? 'max_output_tokens' }
  }
  return { status: 'completed' }
}

function writeItem(composer: EventComposer, item: OutputItem): void {
  switch (item.type) {
    case 'message': {
      const writer = composer.message({ phase: item.phase ?? null })
      for (const part of item.content) writePart(writer, part)
      break
    }
    case 'reasoning':
      writeReasoning(composer, item)
      break
    case 'function_call':
      writeCall(composer, { ...item, status: 'in_progress', arguments: '' }, item.arguments)
      break
    case 'custom_tool_call':
      writeCall(composer, { ...item, status: 'in_progress', input: '' }, item.input)
      break
    case 'compaction':
      composer.compaction(item.encrypted_content)
      break
    default:
      if (isClientCall(item)) composer.clientCall(ITEM_ID_PREFIX[item.type], () => item)
      else if (item.type === 'shell_call_output') writeShellOutput(composer, item)
      else if (item.type === 'tool_search_output') composer.whole(ITEM_ID_PREFIX[item.type], () => item)
      else writeHosted(composer, item)
  }
}

function writeCall(composer: EventComposer, opened: CallItem, input: string): void {
  const writer = composer.call(ITEM_ID_PREFIX[opened.type], () => opened)
  if (input) writer.delta(input)
  writer.endInput()
}

function writeHosted(composer: EventComposer, item: HostedItem): void {
  const writer = composer.hosted(ITEM_ID_PREFIX[item.type], () => openedItem(item))
  const text = streamedText(item)
  if (item.type === 'code_interpreter_call') {
    if (text) writer.tell({ type: 'response.code_interpreter_call_code.delta', delta: text })
    writer.tell({ type: 'response.code_interpreter_call_code.done', code: text })
  } else if (item.type === 'mcp_call') {
    if (text) writer.tell({ type: 'response.mcp_call_arguments.delta', delta: text })
    writer.tell({ type: 'response.mcp_call_arguments.done', arguments: text })
  }
  writer.finish(item)
}

function writeShellOutput(composer: EventComposer, item: ShellCallOutput): void {
  const writer = composer.shellOutput(() => ({ ...item, status: 'in_progress', output: [] }))
  item.output.forEach((result, command_index) => {
    const { stdout, stderr } = result
    const delta = { ...(stdout === '' ? {} : { stdout }), ...(stderr === '' ? {} : { stderr }) }
    if (stdout !== '' || stderr !== '')
      writer.tell({ type: 'response.shell_call_output_content.delta', command_index, delta })
    writer.tell({ type: 'response.shell_call_output_content.done', command_index, output: [result] })
  })
  writer.finish(item.status)
  composer.closeAside(writer)
}

function writePart(writer: ReturnType<EventComposer['message']>, part: OutputPart): void {
  if (part.type === 'refusal') {
    writer.startRefusal()
    if (part.refusal) writer.refusal(part.refusal)
  } else {
    writer.startText()
    if (part.text || part.logprobs.length > 0) writer.text(part.text, part.logprobs)
    for (const annotation of part.annotations) writer.annotate(annotation)
  }
  writer.endPart()
}

function writeReasoning(composer: EventComposer, item: ReasoningItem): void {
  const writer = composer.reasoning()
  item.summary.forEach(({ text }, index) => {
    writer.delta('summary', index, text)
  })
  item.content?.forEach(({ text }, index) => {
    writer.delta('text', index, text)
  })
  writer.endPart()
  writer.seal(item.encrypted_content ?? null)
}
