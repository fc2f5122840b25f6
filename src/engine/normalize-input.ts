/**
 * From `input` as clients write it to items as we keep them: ids, status and types filled in, content always a list
 * of parts, empty optionals left out. References stay references until they are resolved.
 */
import type { Ids } from '../lib/ids.ts'
import { CLIENT_ID_PREFIX, type ClientItemParam, isClientItem } from '../protocol/client-items.ts'
import type { MessagePart, OutputPart, StoredPart, ToolOutputPart } from '../protocol/content.ts'
import { badRequest } from '../protocol/errors.ts'
import {
  type CompactionTriggerParam,
  type InputItemParam,
  type InputMessage,
  ITEM_ID_PREFIX,
  ITEM_STATUSES,
  type Item,
  type ItemReferenceParam,
  type ItemStatus,
  type MessageParam,
} from '../protocol/items.ts'
import { isProgramItem, keptCaller, normalizeProgram } from '../protocol/programs.ts'
import { normalizeClientItem } from './normalize-client.ts'
import { normalizeHosted } from './normalize-hosted.ts'

/** A stored item, named by its id; `index` is its place in `input`, for errors. */
export type ItemReference = { readonly type: 'item_reference'; readonly id: string; readonly index: number }
export type NormalizedItem = Item | ItemReference

export function normalizeInput(
  input: string | readonly InputItemParam[] | null | undefined,
  ids: Ids,
  /** What the list is called in the request, for errors. */
  name = 'input',
): NormalizedItem[] {
  if (input === null || input === undefined) return []
  if (typeof input === 'string') return [userMessage(input, ids)]
  const items = input.flatMap((item, index) =>
    isTrigger(item) ? [] : [normalizeItem(item, index, `${name}[${index}]`, ids)],
  )
  return pairSearches(items, ids)
}

const isTrigger = (item: InputItemParam): item is CompactionTriggerParam => item.type === 'compaction_trigger'

/** Whether the input asks for compaction and nothing else. */
export function endsWithTrigger(input: string | readonly InputItemParam[] | null | undefined): boolean {
  const last = typeof input === 'object' ? input?.at(-1) : undefined
  return last !== undefined && isTrigger(last)
}

export const userMessage = (text: string, ids: Ids): InputMessage => ({
  id: ids.next(ITEM_ID_PREFIX.message),
  type: 'message',
  status: 'completed',
  role: 'user',
  content: [{ type: 'input_text', text }],
})

const isReference = (item: Exclude<InputItemParam, CompactionTriggerParam>): item is ItemReferenceParam =>
  item.type === 'item_reference' || (!('role' in item) && (item.type === undefined || item.type === null))

type ImageReference = Extract<InputItemParam, { type: 'image_generation_call' }> & { readonly id: string }

/** A picture is large: a client may send its item back without it. One that failed has none. */
const isImageReference = (item: InputItemParam): item is ImageReference =>
  item.type === 'image_generation_call' && !!item.id && !item.result && item.status !== 'failed'

const statusOf = (status: string | null | undefined): ItemStatus =>
  ITEM_STATUSES.find((known) => known === status) ?? 'completed'

function normalizeItem(
  item: Exclude<InputItemParam, CompactionTriggerParam>,
  index: number,
  path: string,
  ids: Ids,
): NormalizedItem {
  if (isReference(item)) return { type: 'item_reference', id: item.id, index }
  if (isImageReference(item)) return { type: 'item_reference', id: item.id, index }
  const idOf = (type: Item['type']) => item.id || ids.next(ITEM_ID_PREFIX[type])
  switch (item.type) {
    case undefined:
    case 'message':
      return normalizeMessage(item, path, idOf('message'))
    case 'reasoning':
      return {
        id: idOf('reasoning'),
        type: 'reasoning',
        status: statusOf(item.status),
        summary: item.summary ?? [],
        ...(item.content ? { content: item.content } : {}),
        ...(item.encrypted_content ? { encrypted_content: item.encrypted_content } : {}),
      }
    case 'function_call':
      return {
        id: idOf('function_call'),
        type: 'function_call',
        status: statusOf(item.status),
        call_id: item.call_id,
        name: item.name,
        ...(item.namespace ? { namespace: item.namespace } : {}),
        ...keptCaller(item),
        arguments: item.arguments,
      }
    case 'custom_tool_call':
      return {
        id: idOf('custom_tool_call'),
        type: 'custom_tool_call',
        status: statusOf(item.status),
        call_id: item.call_id,
        name: item.name,
        ...(item.namespace ? { namespace: item.namespace } : {}),
        ...keptCaller(item),
        input: item.input,
      }
    case 'function_call_output':
    case 'custom_tool_call_output':
      return {
        id: idOf(item.type),
        type: item.type,
        status: statusOf(item.status),
        call_id: item.call_id,
        ...keptCaller(item),
        output: typeof item.output === 'string' ? item.output : item.output.map(toInputPart),
      }
    case 'additional_tools':
      return { id: idOf('additional_tools'), type: 'additional_tools', role: 'developer', tools: item.tools }
    case 'compaction':
      return { id: idOf('compaction'), type: 'compaction', encrypted_content: item.encrypted_content }
    default:
      if (isProgramItem(item)) return normalizeProgram(item, idOf(item.type))
      return isClientItem(item)
        ? normalizeClientItem(item, clientIdOf(item, ids), path)
        : normalizeHosted(item, idOf(item.type))
  }
}

/** A search by a server may come without a call id: its output is the next one that has none either. */
function pairSearches(items: readonly NormalizedItem[], ids: Ids): NormalizedItem[] {
  let last = ''
  return items.map((item) => {
    if ((item.type !== 'tool_search_call' && item.type !== 'tool_search_output') || item.call_id !== '') return item
    if (item.type === 'tool_search_call') last = ids.next('call')
    return { ...item, call_id: last || ids.next('call') }
  })
}

/** An output of the older local shell may bear the id of its call, which is not its own. */
const clientIdOf = ({ type, id }: ClientItemParam, ids: Ids): string => {
  const prefix = CLIENT_ID_PREFIX[type]
  const isOwn = type !== 'local_shell_call_output' || id?.startsWith(`${prefix}_`)
  return (isOwn && id) || ids.next(prefix)
}

function normalizeMessage(item: MessageParam, path: string, id: string): Item {
  const { role } = item
  const status = statusOf(item.status)
  if (role === 'assistant') {
    const content = partsOf(item.content, 'output_text').map((part, at) => toOutputPart(part, `${path}.content[${at}]`))
    return { id, type: 'message', status, role, content, ...(item.phase ? { phase: item.phase } : {}) }
  }
  const content = partsOf(item.content, 'input_text').map((part, at) => {
    if (part.type === 'refusal') throw wrongPart(`${path}.content[${at}]`, part.type, role)
    return part.type === 'output_text' ? { type: 'input_text' as const, text: part.text } : toInputPart(part)
  })
  return { id, type: 'message', status, role, content }
}

const partsOf = (content: MessageParam['content'], textType: 'input_text' | 'output_text'): readonly MessagePart[] =>
  typeof content === 'string' ? [{ type: textType, text: content }] : content

/** Assistant text that comes back as `input_text` is text all the same; images and files it never wrote. */
function toOutputPart(part: MessagePart, path: string): OutputPart {
  if (part.type === 'refusal') return { type: 'refusal', refusal: part.refusal }
  if (part.type !== 'output_text' && part.type !== 'input_text') throw wrongPart(path, part.type, 'assistant')
  return { type: 'output_text', text: part.text, annotations: [], logprobs: [] }
}

const wrongPart = (path: string, type: string, role: string) =>
  badRequest(
    `${path}.type`,
    'invalid_value',
    `Invalid value: '${type}'. A message of role '${role}' cannot hold such a part.`,
  )

/** The same part without the optionals that say nothing, so that none of them travels upstream. */
export function toInputPart(part: ToolOutputPart): StoredPart {
  const kept = Object.entries(part).filter(([, value]) => value !== null && value !== undefined)
  const clean = Object.fromEntries(kept)
  if (part.type === 'input_image') return { ...clean, type: part.type, detail: part.detail ?? 'auto' }
  if (part.type === 'input_file') return { ...clean, type: part.type }
  return { ...clean, type: part.type, text: part.text }
}
