/** The summarising turn: a context goes in, a text that can stand in its place comes out. */
import type { Ids } from '../lib/ids.ts'
import { type Model, type ModelContext, ModelError, type ModelTurn, type TurnItem } from '../models/model.ts'
import { COMPACTION_INSTRUCTIONS, COMPACTION_REQUEST } from '../protocol/compaction-texts.ts'
import type { StoredPart } from '../protocol/content.ts'
import { type InputMessage, ITEM_ID_PREFIX, type OutputMessage } from '../protocol/items.ts'
import type { Usage } from '../protocol/response.ts'
import { addUsage, NO_USAGE } from '../protocol/usage.ts'
import { summaryMessage } from './compaction-seal.ts'
import { countTurn } from './count-turn.ts'
import { userMessage } from './normalize-input.ts'

export type Summarising = {
  readonly model: Model
  /** The turn whose context is summarised: its model, keys and instructions. */
  readonly turn: ModelTurn
  readonly context: ModelContext
  readonly maxTokens: number
  readonly ids: Ids
  /** For models that report no usage. */
  readonly estimateUsage: (turn: ModelTurn, output: readonly OutputMessage[]) => Promise<Usage>
}

export type Summary = { readonly text: string; readonly usage: Usage }

const NO_HOSTED_TOOLS = { tools: [], allowed: null, maxCalls: null, include: [] }
/** Left of the window beside the conversation: instructions, frames, and what a tokenizer may be wrong by. */
const WINDOW_MARGIN = 0.9

/**
 * Summarises all items. What does not fit into the model's window at once is summarised piece by piece, each piece
 * together with the summary of what was before it. Throws `ModelError` when the model fails or writes nothing.
 */
export async function summarise(items: readonly TurnItem[], parts: Summarising): Promise<Summary> {
  let rest = transcript(items, parts.ids)
  const replaces: string[] = []
  let summary: string | null = null
  let usage = NO_USAGE
  do {
    const before: readonly TurnItem[] =
      summary === null ? [] : [summaryMessage(parts.ids.next('msg'), { summary, replaces })]
    const piece = await nextPiece(before, rest, parts)
    const made: Summary = await ask(turnOf([...before, ...piece], parts), parts)
    summary = made.text
    usage = addUsage(usage, made.usage)
    replaces.push(...piece.map(({ id }) => id))
    rest = rest.slice(piece.length)
  } while (rest.length > 0)
  return { text: summary, usage }
}

const turnOf = (items: readonly TurnItem[], { turn, maxTokens, ids }: Summarising): ModelTurn => ({
  ...turn,
  instructions: turn.instructions
    ? `${COMPACTION_INSTRUCTIONS}\n\nThe conversation had these instructions:\n\n${turn.instructions}`
    : COMPACTION_INSTRUCTIONS,
  items: [...items, userMessage(COMPACTION_REQUEST, ids)],
  tools: [],
  hosted: NO_HOSTED_TOOLS,
  toolChoice: { mode: 'none', allowed: null },
  text: { format: { type: 'text' }, verbosity: 'medium' },
  reasoning: { effort: null, summary: null },
  topLogprobs: null,
  maxOutputTokens: maxTokens,
  stop: null,
})

/** As many items as fit, at least one; one that is too large by itself is shortened in its middle. */
async function nextPiece(
  before: readonly TurnItem[],
  rest: readonly TurnItem[],
  parts: Summarising,
): Promise<readonly TurnItem[]> {
  const { contextWindow } = parts.model.capabilities
  if (contextWindow === null) return rest
  const room = Math.floor((contextWindow - parts.maxTokens) * WINDOW_MARGIN)
  const fits = async (piece: readonly TurnItem[]) =>
    (await countTurn(turnOf([...before, ...piece], parts), parts.model, parts.context.signal, room)) <= room
  if (await fits(rest)) return rest
  let [low, high] = [1, rest.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (await fits(rest.slice(0, middle))) low = middle
    else high = middle - 1
  }
  const piece = rest.slice(0, Math.max(low, 1))
  return piece.length > 1 || (await fits(piece)) ? piece : piece.map((item) => shortened(item, room))
}

function shortened(item: TurnItem, maxChars: number): TurnItem {
  if (item.type !== 'message' || item.role === 'assistant') return item
  const text = item.content.flatMap((part) => (part.type === 'input_text' ? [part.text] : [])).join('\n')
  const half = Math.floor(maxChars / 2)
  const cut = text.length <= maxChars ? text : `${text.slice(0, half)}\n[...]\n${text.slice(-half)}`
  return { ...item, content: [{ type: 'input_text', text: cut.toWellFormed() }] }
}

async function ask(turn: ModelTurn, { model, context, ids, estimateUsage }: Summarising): Promise<Summary> {
  let text = ''
  let usage: Usage | null = null
  for await (const batch of model.stream(turn, context)) {
    for (const event of batch) {
      if (event.type === 'text-delta') text += event.delta
      else if (event.type === 'finish') usage = event.usage
    }
  }
  if (text.trim() === '') throw new ModelError('malformed', 'The model wrote no summary of the conversation.')
  return { text: text.trim(), usage: usage ?? (await estimateUsage(turn, [outputMessage(text, ids)])) }
}

const outputMessage = (text: string, ids: Ids): OutputMessage => ({
  id: ids.next(ITEM_ID_PREFIX.message),
  type: 'message',
  status: 'completed',
  role: 'assistant',
  content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
})

/**
 * The conversation as messages alone. Calls become sentences: no tool is offered to the summarising turn, some
 * providers take no calls without their tools, and a list of messages can be cut anywhere.
 */
function transcript(items: readonly TurnItem[], ids: Ids): readonly TurnItem[] {
  const names = new Map<string, string>()
  return items.flatMap((item): TurnItem[] => {
    switch (item.type) {
      case 'message':
        return item.role === 'assistant' ? [said(item, ids)] : [item]
      case 'function_call':
      case 'custom_tool_call':
        names.set(item.call_id, item.name)
        return [tell(`[The assistant called the tool ${item.name} with: ${inputOf(item)}]`, ids)]
      case 'function_call_output':
      case 'custom_tool_call_output':
        return [answered(names.get(item.call_id) ?? 'it called', item.output, ids)]
      case 'reasoning':
      case 'additional_tools':
      case 'compaction':
        return []
      default:
        return item satisfies never
    }
  })
}

type Output = string | readonly StoredPart[]

const inputOf = (item: Extract<TurnItem, { type: 'function_call' | 'custom_tool_call' }>) =>
  item.type === 'function_call' ? item.arguments : item.input

const tell = (text: string, ids: Ids): InputMessage => ({
  id: ids.next(ITEM_ID_PREFIX.message),
  type: 'message',
  status: 'completed',
  role: 'user',
  content: [{ type: 'input_text', text }],
})

const said = (item: OutputMessage, ids: Ids): TurnItem => {
  const text = item.content.map((part) => (part.type === 'refusal' ? part.refusal : part.text)).join('')
  return { ...outputMessage(text, ids), id: item.id }
}

function answered(name: string, output: Output, ids: Ids): InputMessage {
  const lead = `[The tool ${name} answered:]`
  if (typeof output === 'string') return tell(`${lead}\n${output}`, ids)
  return { ...tell(lead, ids), content: [{ type: 'input_text', text: lead }, ...output] }
}
