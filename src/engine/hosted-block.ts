/**
 * What a provider tells of a tool that it ran itself -> the item's events: its stages in the order the API gives them,
 * whatever was told of them, and the text it streams: the code of an interpreter, the arguments of an MCP call.
 *
 * Invariant: what a client sees of an item does not depend on how much its provider streamed, only on when.
 */
import type { HostedDraft, PartialImage } from '../models/model.ts'
import type { HostedEventType, HostedProgress } from '../protocol/hosted-events.ts'
import { streamedText } from '../protocol/hosted-events.ts'
import { HOSTED_ID_PREFIX, type HostedItem, isOpenStatus, openedItem } from '../protocol/hosted-items.ts'
import type { EventComposer } from './compose-events.ts'

export interface HostedBlock {
  /** More of the text that the item streams. */
  delta(delta: string): void
  /** The tool is at work: it searches, interprets or generates. */
  running(): void
  image(image: PartialImage): void
  end(item: HostedDraft): void
}

const STAGES = {
  web_search_call: {
    begun: 'response.web_search_call.in_progress',
    running: 'response.web_search_call.searching',
    completed: 'response.web_search_call.completed',
    failed: null,
  },
  file_search_call: {
    begun: 'response.file_search_call.in_progress',
    running: 'response.file_search_call.searching',
    completed: 'response.file_search_call.completed',
    failed: null,
  },
  code_interpreter_call: {
    begun: 'response.code_interpreter_call.in_progress',
    running: 'response.code_interpreter_call.interpreting',
    completed: 'response.code_interpreter_call.completed',
    failed: null,
  },
  image_generation_call: {
    begun: 'response.image_generation_call.in_progress',
    running: 'response.image_generation_call.generating',
    completed: 'response.image_generation_call.completed',
    failed: null,
  },
  mcp_list_tools: {
    begun: 'response.mcp_list_tools.in_progress',
    running: null,
    completed: 'response.mcp_list_tools.completed',
    failed: 'response.mcp_list_tools.failed',
  },
  mcp_call: {
    begun: 'response.mcp_call.in_progress',
    running: null,
    completed: 'response.mcp_call.completed',
    failed: 'response.mcp_call.failed',
  },
  mcp_approval_request: { begun: null, running: null, completed: null, failed: null },
} as const satisfies Record<HostedItem['type'], Record<string, HostedEventType | null>>

type Stage = NonNullable<(typeof STAGES)[HostedItem['type']][keyof (typeof STAGES)['mcp_call']]>

export function openHostedBlock(composer: EventComposer, draft: HostedDraft): HostedBlock {
  const stages = STAGES[draft.type]
  const writer = composer.hosted(HOSTED_ID_PREFIX[draft.type], (id) => openedItem(withId(draft, id)))
  const { id } = writer.item()
  let isRunning = false
  let textEnded = false

  const tell = (type: Stage | null) => {
    if (type !== null) writer.tell({ type })
  }
  const delta = (more: string) => {
    if (more === '' || textEnded) return
    const event = deltaOf(writer.item(), more)
    if (event) writer.tell(event)
  }
  const endText = () => {
    if (textEnded) return
    textEnded = true
    const event = textDoneOf(writer.item())
    if (event) writer.tell(event)
  }
  const tellRunning = () => {
    if (isRunning) return
    isRunning = true
    endText()
    tell(stages.running)
  }
  tell(stages.begun)
  delta(streamedText(withId(draft, id)))

  return {
    delta,
    /** A tool whose text is not known yet is told to be at work when it is. */
    running() {
      if (deltaOf(writer.item(), '') === null || streamedText(writer.item()) !== '') tellRunning()
    },
    image(image) {
      tellRunning()
      writer.tell({ type: 'response.image_generation_call.partial_image', ...image })
    },
    end(item) {
      const final = ended(withId(item, id))
      const streamed = streamedText(writer.item())
      const whole = streamedText(final)
      if (whole.startsWith(streamed)) delta(whole.slice(streamed.length))
      endText()
      if (!isFailed(final)) tellRunning()
      tell(isFailed(final) ? stages.failed : stages.completed)
      writer.finish(withText(final, streamedText(writer.item())))
    },
  }
}

const withId = (draft: HostedDraft, id: string): HostedItem => ({ ...draft, id })

function deltaOf({ type }: HostedItem, delta: string): HostedProgress | null {
  if (type === 'code_interpreter_call') return { type: 'response.code_interpreter_call_code.delta', delta }
  return type === 'mcp_call' ? { type: 'response.mcp_call_arguments.delta', delta } : null
}

function textDoneOf(item: HostedItem): HostedProgress | null {
  if (item.type === 'code_interpreter_call')
    return { type: 'response.code_interpreter_call_code.done', code: streamedText(item) }
  if (item.type !== 'mcp_call') return null
  return { type: 'response.mcp_call_arguments.done', arguments: item.arguments }
}

/** What was streamed stands. */
function withText(item: HostedItem, text: string): HostedItem {
  if (item.type === 'code_interpreter_call') return { ...item, code: text === '' ? item.code : text }
  return item.type === 'mcp_call' ? { ...item, arguments: text } : item
}

/** A tool that is done is not at work any more, whatever its provider says. */
const ended = (item: HostedItem): HostedItem =>
  'status' in item && isOpenStatus(item.status) ? { ...item, status: 'completed' } : item

const isFailed = (item: HostedItem): boolean =>
  item.type === 'mcp_list_tools' ? !!item.error : 'status' in item && item.status !== 'completed'
