/** The items of a turn -> the history that the chat template of a model is filled with. */
import type { StoredPart } from '../../protocol/content.ts'
import type { ModelTurn, TurnItem } from '../model.ts'
import type { ChatCall, ChatItem, ChatPart } from './llama-library.ts'

type Message = Extract<TurnItem, { type: 'message' }>

export function encodeHistory(turn: ModelTurn): readonly ChatItem[] {
  const history: ChatItem[] = []
  if (turn.instructions !== null && turn.instructions !== '') say(history, 'system', turn.instructions)
  const calls = new Map<string, ChatCall>()
  const lastUser = turn.items.findLastIndex((item) => item.type === 'message' && item.role === 'user')
  for (const [index, item] of turn.items.entries()) addItem(history, item, { calls, isCurrent: index > lastUser })
  // Templates answer a person; a history that ends with the model's own words would be continued in mid-sentence.
  if (endsInText(history)) history.push({ type: 'user', text: '' })
  return history
}

type Context = {
  /** By the id of the call. */
  readonly calls: Map<string, ChatCall>
  /** After the last word of a person: here a model sees its own thoughts again, as its makers intend. */
  readonly isCurrent: boolean
}

function addItem(history: ChatItem[], item: TurnItem, { calls, isCurrent }: Context): void {
  switch (item.type) {
    case 'message':
      addMessage(history, item)
      return
    case 'reasoning': {
      const text = (item.content ?? []).map((part) => part.text).join('')
      if (isCurrent && text !== '') {
        responseOf(history).push({ type: 'segment', segmentType: 'thought', text, ended: true })
      }
      return
    }
    case 'function_call':
    case 'custom_tool_call': {
      const params = item.type === 'function_call' ? parse(item.arguments) : { input: item.input }
      addCall(history, { id: item.call_id, name: item.name, params }, calls)
      return
    }
    case 'function_call_output':
    case 'custom_tool_call_output': {
      const call = calls.get(item.call_id)
      if (call !== undefined) call.result = parse(textOf(item.output))
      return
    }
    default:
      return
  }
}

function addMessage(history: ChatItem[], message: Message): void {
  if (message.role === 'assistant') {
    const text = message.content.map((part) => (part.type === 'refusal' ? part.refusal : part.text)).join('')
    if (text !== '') responseOf(history).push(text)
    return
  }
  say(history, message.role === 'user' ? 'user' : 'system', textOf(message.content))
}

/** Many templates refuse two messages of one side in a row. */
function say(history: ChatItem[], type: 'system' | 'user', text: string): void {
  const last = history.at(-1)
  if (last?.type === type) history[history.length - 1] = { type, text: `${last.text}\n\n${text}` }
  else history.push({ type, text })
}

function addCall(
  history: ChatItem[],
  { id, name, params }: { readonly id: string; readonly name: string; readonly params: unknown },
  calls: Map<string, ChatCall>,
): void {
  const response = responseOf(history)
  const last = response.at(-1)
  const follows = typeof last === 'object' && last.type === 'functionCall' && last.result === undefined
  const call: ChatCall = { type: 'functionCall', name, params, result: undefined, startsNewChunk: !follows }
  calls.set(id, call)
  response.push(call)
}

function responseOf(history: ChatItem[]): ChatPart[] {
  const last = history.at(-1)
  if (last?.type === 'model') return last.response
  const response: ChatPart[] = []
  history.push({ type: 'model', response })
  return response
}

function endsInText(history: readonly ChatItem[]): boolean {
  const last = history.at(-1)
  return last === undefined || (last.type === 'model' && typeof last.response.at(-1) === 'string')
}

/** Images and files are refused before they get here. */
const textOf = (content: string | readonly StoredPart[]): string =>
  typeof content === 'string'
    ? content
    : content.map((part) => (part.type === 'input_text' ? part.text : '')).join('\n')

/** Results and arguments are shown as JSON where they are some, else as the text they are. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
