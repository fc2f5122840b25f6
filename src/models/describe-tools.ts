/** Tools, calls and results in words, for a model that knows none of them. */
import type { Ids } from '../lib/ids.ts'
import type { FunctionCall, FunctionCallOutput } from '../protocol/items.ts'
import { CALL_END, CALL_START } from './call-tags.ts'
import type { ModelTurn, ToolDeclaration, TurnItem } from './model.ts'
import { assistantText, userText } from './turn-items.ts'

export type FunctionDeclaration = Extract<ToolDeclaration, { type: 'function' }>

/** The functions a turn may call. */
export function callableFunctions({ tools, toolChoice }: ModelTurn): readonly FunctionDeclaration[] {
  if (toolChoice.mode === 'none') return []
  return tools.flatMap((tool) =>
    tool.type === 'function' && (toolChoice.allowed?.includes(tool.name) ?? true) ? [tool] : [],
  )
}

/** The turn without tools, and with everything about them said in its instructions and messages. */
export function inWords(turn: ModelTurn, ids: Ids): ModelTurn {
  const tools = callableFunctions(turn)
  const about = tools.length === 0 ? null : describe(tools, turn)
  const instructions = [turn.instructions, about].filter((part) => part !== null && part !== '')
  return {
    ...turn,
    instructions: instructions.length === 0 ? null : instructions.join('\n\n'),
    items: itemsInWords(turn.items, ids),
    tools: [],
    toolChoice: { mode: 'auto', allowed: null },
    parallelToolCalls: true,
  }
}

function describe(tools: readonly FunctionDeclaration[], turn: ModelTurn): string {
  const lines = tools.map(({ name, description, parameters }) => JSON.stringify({ name, description, parameters }))
  const names = tools.map(({ name }) => `"${name}"`).join(' or ')
  const must = `You must call ${tools.length === 1 ? '' : 'one of '}${names} now.`
  const may = 'Call a tool only when it helps. Otherwise answer in plain text, without such a block.'
  return [
    `You can call tools. Each line is one, with the JSON Schema of its arguments:\n${lines.join('\n')}`,
    `To call a tool, write this and nothing after it:\n${CALL_START}\n{"name": "...", "arguments": {...}}\n${CALL_END}`,
    turn.parallelToolCalls ? 'For several calls write several blocks.' : 'Make one call at most.',
    'You then get the result in a <tool_response> block. Never write such a block yourself.',
    turn.toolChoice.mode === 'required' ? must : may,
  ].join('\n')
}

/** Calls become one message with the text before them, as do their results: chat templates want the two to alternate. */
function itemsInWords(items: readonly TurnItem[], ids: Ids): readonly TurnItem[] {
  const names = new Map(items.flatMap((item) => (item.type === 'function_call' ? [[item.call_id, item.name]] : [])))
  const out: TurnItem[] = []
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index]
    if (item?.type === 'function_call') {
      const calls = runOf(items, index, isCall)
      const joined = joinText(out.at(-1), calls.map(callText).join('\n'))
      if (joined !== null) out.pop()
      out.push(joined ?? assistantText(calls.map(callText).join('\n'), ids))
      index += calls.length - 1
    } else if (item?.type === 'function_call_output') {
      const results = runOf(items, index, isResult)
      out.push(resultMessage(results, names, ids))
      index += results.length - 1
    } else if (item) out.push(item)
  }
  return out
}

/** What was said before the calls, with them behind it; null when nothing was. */
function joinText(said: TurnItem | undefined, text: string): TurnItem | null {
  if (said?.type !== 'message' || said.role !== 'assistant') return null
  return { ...said, content: [...said.content, { type: 'output_text', text, annotations: [], logprobs: [] }] }
}

const isCall = (item: TurnItem): item is FunctionCall => item.type === 'function_call'
const isResult = (item: TurnItem): item is FunctionCallOutput => item.type === 'function_call_output'

function runOf<T extends TurnItem>(
  items: readonly TurnItem[],
  from: number,
  is: (item: TurnItem) => item is T,
): readonly T[] {
  const run: T[] = []
  for (let item = items[from]; item !== undefined && is(item); item = items[from + run.length]) run.push(item)
  return run
}

const callText = ({ name, arguments: json }: FunctionCall) =>
  `${CALL_START}\n{"name": ${JSON.stringify(name)}, "arguments": ${json.trim() || '{}'}}\n${CALL_END}`

/** Images and files in a result stay what they are, behind its text. */
function resultMessage(results: readonly FunctionCallOutput[], names: ReadonlyMap<string, string>, ids: Ids): TurnItem {
  const text = results
    .map(({ call_id, output }) => {
      const said = typeof output === 'string' ? output : output.flatMap((part) => ('text' in part ? [part.text] : []))
      const body = typeof said === 'string' ? said : said.join('\n')
      return `<tool_response name=${JSON.stringify(names.get(call_id) ?? 'tool')}>\n${body}\n</tool_response>`
    })
    .join('\n')
  const media = results.flatMap(({ output }) =>
    typeof output === 'string'
      ? []
      : output.filter((part) => part.type === 'input_image' || part.type === 'input_file'),
  )
  const message = userText(text, ids)
  if (message.type !== 'message' || message.role === 'assistant') return message
  return { ...message, content: [...message.content, ...media] }
}
