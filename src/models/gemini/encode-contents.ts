/**
 * Items -> contents.
 *
 * Invariant, because the API refuses everything else: contents begin with the user; a content with function calls is
 * followed at once by the user's, which begins with one function response per call, in the calls' order. So a run of
 * assistant text, reasoning and calls becomes one content, outputs are pulled to where their calls are, wherever the
 * client put them, and neighbours of one role are one content.
 */
import type { InputMessage } from '../../protocol/items.ts'
import { ModelError, type TurnItem } from '../model.ts'
import { encodePart } from './encode-content.ts'
import { encodeModelParts, type ModelItem, type PartDialect } from './encode-model-parts.ts'
import { createToolOutputs, type OutputDialect } from './encode-tool-outputs.ts'
import type { GeminiContent, GeminiPart } from './wire.ts'

export type ContentsSource = {
  readonly instructions: string | null
  readonly items: readonly TurnItem[]
}
export type ContentsDialect = OutputDialect & PartDialect & { readonly systemInstruction: boolean }

export type EncodedContents = {
  readonly contents: readonly GeminiContent[]
  readonly systemInstruction?: { readonly parts: readonly GeminiPart[] }
}

/** What the user says where the API wants the user to speak and nobody did. An empty text would be refused. */
const SILENCE: GeminiPart = { text: ' ' }

/** Throws `ModelError` (`invalid_request`) for content without a form here, and for calls and outputs without a pair. */
export function encodeContents({ instructions, items }: ContentsSource, dialect: ContentsDialect): EncodedContents {
  const system: GeminiPart[] = instructions ? [{ text: instructions }] : []
  const contents: GeminiContent[] = []
  const outputs = createToolOutputs(items, dialect)
  for (const group of groupItems(items)) {
    if (group.type === 'input') {
      const { role, parts } = encodeInput(group.message, dialect)
      // What the developer says later speaks as the user, in its place: moved, it would refer to something else.
      if (role !== 'user' && contents.length === 0) system.push(...parts)
      else contents.push({ role: 'user', parts })
      continue
    }
    const parts = encodeModelParts(group.items, dialect)
    if (parts.length > 0) contents.push({ role: 'model', parts })
    const responses = outputs.of(group.items.flatMap(callOf))
    if (responses.length > 0) contents.push({ role: 'user', parts: responses })
  }
  outputs.assertAllUsed()
  if (dialect.systemInstruction || system.length === 0) {
    return {
      contents: joinNeighbours(userFirst(contents)),
      ...(system.length > 0 && { systemInstruction: { parts: system } }),
    }
  }
  return { contents: joinNeighbours([{ role: 'user', parts: system }, ...contents]) }
}

type Group =
  | { readonly type: 'input'; readonly message: InputMessage }
  | { readonly type: 'model'; readonly items: ModelItem[] }

/** Outputs are in no group: they end a run and are placed by their call. */
function groupItems(items: readonly TurnItem[]): readonly Group[] {
  const groups: Group[] = []
  let run: ModelItem[] | null = null
  for (const item of items) {
    if (item.type === 'additional_tools' || item.type === 'compaction') continue
    if (item.type === 'message' && item.role !== 'assistant') groups.push({ type: 'input', message: item })
    if ((item.type === 'message' && item.role !== 'assistant') || isOutput(item)) {
      run = null
      continue
    }
    if (run === null) {
      run = []
      groups.push({ type: 'model', items: run })
    }
    run.push(item)
  }
  return groups
}

const isOutput = (item: TurnItem) => item.type === 'function_call_output' || item.type === 'custom_tool_call_output'

const callOf = (item: ModelItem) =>
  item.type === 'function_call' || item.type === 'custom_tool_call' ? [{ callId: item.call_id, name: item.name }] : []

function encodeInput({ role, content }: InputMessage, dialect: ContentsDialect) {
  const parts = content.map((part) => encodePart(part, dialect)).filter(({ text }) => text !== '')
  if (role !== 'user' && parts.some(({ text }) => text === undefined)) {
    throw new ModelError('invalid_request', `This provider takes only text in ${role} messages.`, { param: 'input' })
  }
  return { role, parts: parts.length > 0 ? parts : [SILENCE] }
}

const userFirst = (contents: readonly GeminiContent[]): readonly GeminiContent[] =>
  contents[0]?.role === 'user' ? contents : [{ role: 'user', parts: [SILENCE] }, ...contents]

function joinNeighbours(contents: readonly GeminiContent[]): readonly GeminiContent[] {
  const joined: GeminiContent[] = []
  for (const { role, parts } of contents) {
    const last = joined.at(-1)
    if (last?.role === role) joined[joined.length - 1] = { role, parts: [...last.parts, ...parts] }
    else joined.push({ role, parts })
  }
  return joined
}
