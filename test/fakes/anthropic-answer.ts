/**
 * What the fake answers when no script says: it echoes the user, reports tool results, and follows directives in the
 * last words of the user. `[[call name {json}]]` (as often as wanted) calls tools, `[[redacted]]` hides its thoughts,
 * `[[refuse]]` declines, `[[cite]]` cites the first document, `[[words 9]]` says that many words, `[[json {...}]]` says
 * just that.
 */
import { checkThinkingConfig, traitsOf } from './anthropic-models.ts'
import type { SignatureBook } from './anthropic-signatures.ts'
import { isJson, type Json } from './chat-validate.ts'

export type AnthropicAnswer = {
  readonly blocks: readonly Json[]
  readonly stopReason: string
  readonly stopDetails: Json | null
  readonly outputTokens: number
  readonly thinkingTokens: number
}

export function answerByRules(body: Json, book: SignatureBook, nextId: () => string): AnthropicAnswer {
  const last = contentOf((body.messages as unknown[]).findLast((message) => isJson(message) && message.role === 'user'))
  const said = last.flatMap((block) => (block.type === 'text' ? [String(block.text)] : [])).join('\n')
  const results = last.filter(({ type }) => type === 'tool_result')
  const directives = [...said.matchAll(/\[\[(\w+)(?: (.*?))?\]\]/gs)].map(([, name = '', rest = '']) => ({
    name,
    rest,
  }))
  const has = (name: string) => directives.some((directive) => directive.name === name)
  const thoughts = think(body, book, { redacted: has('redacted'), about: results.length > 0 ? 'the results' : said })
  const calls = directives.filter(({ name }) => name === 'call').map(({ rest }) => callOf(rest, nextId()))
  const text = textOf({ said, results, directives })
  const spoken = calls.length > 0 ? [] : has('cite') ? cited(text) : [{ type: 'text', text }]
  return cut(body, { thoughts, spoken, calls, refused: has('refuse') })
}

export const contentOf = (message: unknown): readonly Json[] =>
  isJson(message) && Array.isArray(message.content) ? message.content.filter(isJson) : []

function think(
  body: Json,
  book: SignatureBook,
  { redacted, about }: { readonly redacted: boolean; readonly about: string },
): readonly Json[] {
  const { thinking, model } = body
  const type = isJson(thinking) ? thinking.type : null
  const thinks = type === 'enabled' || type === 'adaptive' || (type === null && traitsOf(String(model)).thinksByItself)
  if (!thinks || checkThinkingConfig(body) !== null) return []
  if (redacted) return [{ type: 'redacted_thinking', data: book.sign('', body) }]
  const shown = isJson(thinking) && (thinking.display === 'summarized' || type === 'enabled')
  const thought = shown ? `I think about ${about.slice(0, 40)}.` : ''
  return [{ type: 'thinking', thinking: thought, signature: book.sign(thought, body) }]
}

function callOf(text: string, id: string): Json {
  const [name = '', ...rest] = text.split(' ')
  return { type: 'tool_use', id, name, input: JSON.parse(rest.join(' ') || '{}') }
}

type Said = {
  readonly said: string
  readonly results: readonly Json[]
  readonly directives: readonly { readonly name: string; readonly rest: string }[]
}

function textOf({ said, results, directives }: Said): string {
  for (const { name, rest } of directives) {
    if (name === 'json') return rest
    if (name === 'words') return Array.from({ length: Number(rest) }, (_, index) => `word${index}`).join(' ')
  }
  if (results.length > 0) return `Results: ${results.map(({ content }) => plain(content)).join('; ')}.`
  return `You said: ${said}`
}

const plain = (content: unknown): string =>
  typeof content === 'string'
    ? content
    : (Array.isArray(content) ? content : []).map((part) => (isJson(part) ? (part.text ?? part.type) : '')).join('+')

const cited = (text: string): readonly Json[] => [
  { type: 'text', text: 'As written: ' },
  {
    type: 'text',
    text,
    citations: [
      {
        type: 'page_location',
        cited_text: text,
        document_index: 0,
        document_title: 'a.pdf',
        start_page_number: 1,
        end_page_number: 2,
        file_id: null,
      },
    ],
  },
]

const tokens = (text: string) => Math.ceil(text.length / 4)

type Parts = {
  readonly thoughts: readonly Json[]
  readonly spoken: readonly Json[]
  readonly calls: readonly Json[]
  readonly refused: boolean
}

/** The text ends where `max_tokens` does, and where a stop sequence stands. */
function cut(body: Json, { thoughts, spoken, calls, refused }: Parts): AnthropicAnswer {
  const thinkingTokens = thoughts.length * 12
  const most = (Number(body.max_tokens ?? 1e6) - thinkingTokens) * 4
  const stops = (Array.isArray(body.stop_sequences) ? body.stop_sequences : []).map(String)
  const whole = spoken.map(({ text }) => String(text)).join('')
  const stopAt = Math.min(...stops.map((stop) => whole.indexOf(stop)).filter((at) => at >= 0), Number.POSITIVE_INFINITY)
  const end = Math.min(most, stopAt)
  let room = end
  const said = spoken.flatMap((block): Json[] => {
    const text = String(block.text).slice(0, Math.max(0, room))
    room -= text.length
    return text === '' ? [] : [{ ...block, text }]
  })
  const reason =
    calls.length > 0 ? 'tool_use' : whole.length <= end ? 'end_turn' : stopAt <= most ? 'stop_sequence' : 'max_tokens'
  const details = { type: 'refusal', category: 'cyber', explanation: 'This request was declined for safety.' }
  return {
    blocks: [...thoughts, ...(refused ? [] : said), ...calls],
    stopReason: refused ? 'refusal' : reason,
    stopDetails: refused ? details : null,
    outputTokens: thinkingTokens + tokens(JSON.stringify([said, calls])),
    thinkingTokens,
  }
}
