/**
 * Items -> `input`.
 *
 * Our ids stay here: a provider that stores would look them up, and it stores nothing of ours. Only reasoning carries an
 * id, the provider's own, because what it sealed is bound to it.
 */
import { type ClientItem, clientToolOfItem, isContainerCall } from '../../protocol/client-items.ts'
import { CLIENT_TOOL_OF_TYPE } from '../../protocol/client-tools.ts'
import type { StoredPart } from '../../protocol/content.ts'
import { HOSTED_TOOL_OF_TYPE, hostedToolOfItem } from '../../protocol/hosted-tools.ts'
import type { InputMessage, OutputMessage, ReasoningItem } from '../../protocol/items.ts'
import { ModelError, type ModelTurn, type TurnItem } from '../model.ts'
import type { ResponsesQuirks } from './quirks.ts'
import { unpackReasoningState } from './reasoning-state.ts'

export type WireItem = Readonly<Record<string, unknown>> & { readonly type: string }

/** Throws `ModelError` (`invalid_request`) for content that the provider could not find. */
export function encodeItems(
  { items, hosted, tools: declared }: Pick<ModelTurn, 'items' | 'hosted' | 'tools'>,
  quirks: ResponsesQuirks,
): readonly WireItem[] {
  const tools = new Set(hosted?.tools.map(({ type }) => HOSTED_TOOL_OF_TYPE.get(type)))
  const native = quirks.clientTools ? nativeTools(declared) : new Set()
  return items.flatMap((item, index) => {
    if (item.recalled && tools.has(hostedToolOfItem(item.recalled.type))) return encodeRecalled(item.recalled)
    if (item.native && native.has(clientToolOfItem(item.native.type))) return encodeNative(item.native)
    if (item.type === 'reasoning' && !leadsToOutput(items, index)) return []
    return encodeItem(item, quirks) ?? []
  })
}

/**
 * What the provider's tools did goes back as it came. A search needs no id; the others are refused without one, and ours
 * has the right form. The ids of containers are the provider's own, those of approvals name an item beside them.
 */
function encodeRecalled(item: NonNullable<TurnItem['recalled']>): WireItem {
  if (item.type !== 'web_search_call' && item.type !== 'mcp_approval_response') return item
  const { id: _, ...rest } = item
  return rest
}

const nativeTools = (declared: ModelTurn['tools']) =>
  new Set(declared.map((tool) => CLIENT_TOOL_OF_TYPE.get((tool.type === 'function' && tool.native?.type) || '')))

/** Without our id. The older local shell names the call by the id of its output. */
function encodeNative({ id: _, ...item }: ClientItem): WireItem {
  if (item.type === 'local_shell_call_output') return { ...item, id: item.call_id }
  // It was run here, for all the provider knows by its client.
  if (isContainerCall(item)) return { ...item, environment: { type: 'local' } }
  if (item.type !== 'computer_call_output') return item
  const { image_url } = item.output
  if (!image_url) throw refuse(`A screenshot ${NOT_SHARED}: send it as image_url.`)
  return { ...item, output: { type: item.output.type, image_url } }
}

/** Providers refuse reasoning that what it led to does not follow. */
function leadsToOutput(items: readonly TurnItem[], index: number): boolean {
  const next = items.slice(index + 1).find(({ type }) => type !== 'reasoning')
  if (next === undefined) return false
  if (next.recalled) return true
  if (next.type === 'message') return next.role === 'assistant'
  return next.type === 'function_call' || next.type === 'custom_tool_call'
}

function encodeItem(item: TurnItem, quirks: ResponsesQuirks): WireItem | null {
  switch (item.type) {
    case 'message':
      return item.role === 'assistant' ? encodeAnswer(item) : encodeMessage(item)
    case 'reasoning':
      return encodeReasoning(item, quirks)
    case 'function_call':
      return { type: item.type, call_id: item.call_id, name: item.name, arguments: item.arguments }
    case 'custom_tool_call':
      return { type: item.type, call_id: item.call_id, name: item.name, input: item.input }
    case 'function_call_output':
    case 'custom_tool_call_output': {
      const output = typeof item.output === 'string' ? item.output : item.output.map(encodePart)
      return { type: item.type, call_id: item.call_id, output }
    }
    case 'additional_tools':
    case 'compaction':
      // Planning has turned both into what they stand for.
      return null
    default:
      item satisfies never
      return null
  }
}

const encodeMessage = ({ role, content }: InputMessage): WireItem => ({
  type: 'message',
  role,
  content: content.map(encodePart),
})

/** Plain text goes as a string: servers that want an id on every list of output parts take that too. */
function encodeAnswer({ content, phase }: OutputMessage): WireItem | null {
  const [only] = content
  if (!only) return null
  const parts = content.map((part) =>
    part.type === 'refusal'
      ? { type: part.type, refusal: part.refusal }
      : { type: part.type, text: part.text, annotations: [] },
  )
  const isText = content.length === 1 && only.type === 'output_text'
  return {
    type: 'message',
    role: 'assistant',
    content: isText ? only.text : parts,
    ...(phase ? { phase } : {}),
  }
}

function encodeReasoning(item: ReasoningItem, { reasoningText }: ResponsesQuirks): WireItem | null {
  const { id, summary, content } = item
  const state = unpackReasoningState(item.encrypted_content)
  if (state) {
    const own = state.id === null ? {} : { id: state.id }
    return { type: 'reasoning', ...own, summary, encrypted_content: state.encryptedContent }
  }
  // Servers that take the text want an id as well, any id.
  return reasoningText && content && content.length > 0 ? { type: 'reasoning', id, summary, content } : null
}

const NOT_SHARED = 'cannot be sent to this provider by id'

/** A file id would name a file of the operator's account, whoever asks. */
function encodePart(part: StoredPart): Readonly<Record<string, unknown>> {
  if (part.type === 'input_image') {
    const { image_url, ...rest } = part
    if (!image_url) throw refuse(`An image ${NOT_SHARED}: send it as image_url.`)
    return { ...withoutFileId(rest), image_url }
  }
  if (part.type === 'input_file' && !part.file_data && !part.file_url) {
    throw refuse(`The file '${part.filename ?? 'file'}' ${NOT_SHARED}: send its content as file_data.`)
  }
  return withoutFileId(part)
}

function withoutFileId<T extends object>(part: T): Omit<T, 'file_id'> {
  if (!('file_id' in part)) return part
  const { file_id: _, ...rest } = part
  return rest
}

const refuse = (message: string) => new ModelError('invalid_request', message, { param: 'input' })
