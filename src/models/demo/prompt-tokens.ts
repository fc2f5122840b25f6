/** A turn as tokens: what it costs as input, and what its prefix is for the prompt cache. */
import type { Tokenizer } from '../../lib/tokenizer.ts'
import { ModelError, type ModelTurn, type TurnItem } from '../model.ts'
import { type ImageInput, outputText } from './conversation.ts'
import { readImage } from './describe-image.ts'
import { readBytes, readFileText } from './read-file.ts'

export const CONTEXT_WINDOW = 128_000
/** No text of so many characters fits into the window; it is refused without being tokenized. */
const MAX_PROMPT_CHARS = 4_000_000
const IMAGE_BASE_TOKENS = 85
const IMAGE_TILE_TOKENS = 170
const IMAGE_TILE_PIXELS = 512
const MAX_IMAGE_TILES = 16
const UNREAD_FILE_TOKENS = 100
const BYTES_PER_FILE_TOKEN = 4
const MAX_FILE_TOKENS = 20_000

/** Throws `context_length` when the turn is larger than the context window. */
export function createPromptReader(
  tokenizer: Tokenizer,
  contextWindow = CONTEXT_WINDOW,
): (turn: ModelTurn) => number[] {
  /** Items are immutable, and a conversation brings the same ones again each turn. */
  const known = new WeakMap<TurnItem, readonly number[]>()
  const tokensOf = (item: TurnItem): readonly number[] => {
    const found = known.get(item) ?? itemTokens(item, tokenizer)
    known.set(item, found)
    return found
  }
  return (turn) => {
    if (charsOf(turn) > MAX_PROMPT_CHARS) throw tooLong(`more than ${contextWindow}`, contextWindow)
    const tokens = tokenizer.encode(preamble(turn))
    for (const item of turn.items) for (const token of tokensOf(item)) tokens.push(token)
    if (tokens.length > contextWindow) throw tooLong(String(tokens.length), contextWindow)
    return tokens
  }
}

const tooLong = (tokens: string, contextWindow: number) =>
  new ModelError(
    'context_length',
    `The input has ${tokens} tokens; the demo model takes at most ${contextWindow}. Shorten the input or ask for truncation.`,
    { status: 400, param: 'input', provider: 'demo' },
  )

/** What stands before the conversation: tools, the asked format, instructions. */
function preamble({ tools, text, instructions }: ModelTurn): string {
  const format = text.format.type === 'text' ? '' : JSON.stringify(text.format)
  const parts = [
    ...tools.map((tool) => JSON.stringify(tool)),
    format,
    instructions === null ? '' : `system\n${instructions}`,
  ]
  return `demo\n${parts
    .filter((part) => part !== '')
    .map((part) => `${part}\n`)
    .join('')}`
}

function itemTokens(item: TurnItem, tokenizer: Tokenizer): number[] {
  const tokens = tokenizer.encode(itemText(item))
  const parts = item.type === 'message' && item.role !== 'assistant' ? item.content : []
  for (const part of parts) {
    if (part.type === 'input_image') {
      const image = { url: part.image_url ?? null, detail: part.detail ?? null }
      repeat(tokens, imageTokens(image), part.image_url ?? part.file_id ?? '')
    }
    if (part.type === 'input_file')
      repeat(tokens, fileTokens(part.file_data, tokenizer), part.file_data ?? part.file_id ?? part.file_url ?? '')
  }
  return tokens
}

function itemText(item: TurnItem): string {
  switch (item.type) {
    case 'message': {
      const texts = item.content.map((part) =>
        'text' in part ? part.text : part.type === 'refusal' ? part.refusal : '',
      )
      return `${item.role}\n${texts.join('\n')}\n`
    }
    case 'reasoning':
      return `reasoning\n${[...item.summary, ...(item.content ?? [])].map(({ text }) => text).join('\n')}\n`
    case 'function_call':
      return `call ${item.name}\n${item.arguments}\n`
    case 'custom_tool_call':
      return `call ${item.name}\n${item.input}\n`
    case 'function_call_output':
    case 'custom_tool_call_output':
      return `tool\n${outputText(item.output)}\n`
    case 'additional_tools':
      return `${JSON.stringify(item.tools)}\n`
    case 'compaction':
      return ''
  }
}

/** Pictures and files are no text: they stand in the prompt as so many copies of a number made from their content. */
function repeat(tokens: number[], count: number, content: string): void {
  let hash = 7
  const stride = Math.max(1, Math.floor(content.length / 1024))
  for (let at = 0; at < content.length; at += stride) hash = Math.imul(hash ^ content.charCodeAt(at), 16_777_619)
  for (let index = 0; index < count; index++) tokens.push(hash)
}

function imageTokens(image: ImageInput): number {
  const { width, height } = readImage(image)
  if (image.detail === 'low') return IMAGE_BASE_TOKENS
  const tiles = Math.ceil((width ?? 1) / IMAGE_TILE_PIXELS) * Math.ceil((height ?? 1) / IMAGE_TILE_PIXELS)
  return IMAGE_BASE_TOKENS + IMAGE_TILE_TOKENS * Math.min(Math.max(tiles, 1), MAX_IMAGE_TILES)
}

function fileTokens(data: string | null | undefined, tokenizer: Tokenizer): number {
  if (!data) return UNREAD_FILE_TOKENS
  const text = readFileText(data)
  if (text !== null) return tokenizer.count(text)
  return Math.min(Math.ceil((readBytes(data)?.length ?? 0) / BYTES_PER_FILE_TOKEN), MAX_FILE_TOKENS)
}

function charsOf({ items, instructions }: ModelTurn): number {
  return items.reduce((sum, item) => sum + itemChars(item), instructions?.length ?? 0)
}

function itemChars(item: TurnItem): number {
  if (item.type === 'message')
    return item.content.reduce((sum, part) => sum + ('text' in part ? part.text.length : 0), 0)
  if (item.type === 'function_call') return item.arguments.length
  return 'output' in item && typeof item.output === 'string' ? item.output.length : 0
}
