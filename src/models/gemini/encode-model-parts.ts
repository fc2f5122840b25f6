/** What the model said in one step -> the parts of one content, each with the signature it came with. */
import type { CustomToolCall, FunctionCall, OutputMessage, ReasoningItem } from '../../protocol/items.ts'
import { asFields, parseJson } from '../upstream/fields.ts'
import { type SignedText, type ThoughtState, unpackThoughtState } from './thought-state.ts'
import type { GeminiPart } from './wire.ts'

export type ModelItem = OutputMessage | ReasoningItem | FunctionCall | CustomToolCall
export type PartDialect = {
  /** The first function call must be signed. */
  readonly signatures: boolean
  readonly vertex: boolean
}

/** For calls that another provider made, or whose signature was lost: the value documented for that. */
const DUMMY_SIGNATURE = 'skip_thought_signature_validator'

/** Empty when nothing is left to say: a content without parts is refused. */
export function encodeModelParts(items: readonly ModelItem[], dialect: PartDialect): readonly GeminiPart[] {
  const parts: GeminiPart[] = []
  let next: ThoughtState = {}
  items.forEach((item, index) => {
    if (item.type === 'reasoning') {
      next = unpackThoughtState(item.encrypted_content)
      if (next.thought) parts.push({ text: summaryOf(item), thought: true, thoughtSignature: next.thought })
      if (next.next?.length === 0) parts.push({ text: '', thoughtSignature: next.next.signature })
      return
    }
    if (item.type === 'message') parts.push(...encodeText(textOf(item), signaturesOf(next, items[index + 1])))
    else parts.push(encodeCall(item, next.call, dialect))
    next = {}
  })
  return dialect.signatures ? withFirstCallSigned(parts) : parts
}

const summaryOf = ({ summary }: ReasoningItem) => summary.map(({ text }) => text).join('\n\n')

const textOf = ({ content }: OutputMessage) =>
  content.map((part) => (part.type === 'output_text' ? part.text : part.refusal)).join('')

function signaturesOf({ next }: ThoughtState, behind: ModelItem | undefined): readonly SignedText[] {
  const first = next && next.length > 0 ? [{ start: 0, ...next }] : []
  const rest = behind?.type === 'reasoning' ? (unpackThoughtState(behind.encrypted_content).previous ?? []) : []
  return [...first, ...rest]
}

/** Cut into the parts it came in. A signature of a place that is no longer there has nothing to vouch for. */
function encodeText(text: string, signatures: readonly SignedText[]): readonly GeminiPart[] {
  const parts: GeminiPart[] = []
  let at = 0
  for (const { start, length, signature } of signatures) {
    if (start < at || start + length > text.length) continue
    if (start > at) parts.push({ text: text.slice(at, start) })
    parts.push({ text: text.slice(start, start + length), thoughtSignature: signature })
    at = start + length
  }
  if (at < text.length) parts.push({ text: text.slice(at) })
  return parts
}

function encodeCall(
  call: FunctionCall | CustomToolCall,
  signature: string | undefined,
  dialect: PartDialect,
): GeminiPart {
  const { call_id: id, name } = call
  const args = call.type === 'function_call' ? readArguments(call.arguments) : { input: call.input }
  return {
    functionCall: { ...(dialect.vertex ? {} : { id }), name, args },
    ...(signature && { thoughtSignature: signature }),
  }
}

/** Arguments are an object here. A call that another model got wrong keeps its words. */
const readArguments = (text: string) => asFields(parseJson(text)) ?? (text.trim() === '' ? {} : { arguments: text })

function withFirstCallSigned(parts: readonly GeminiPart[]): readonly GeminiPart[] {
  const first = parts.findIndex(({ functionCall }) => functionCall !== undefined)
  return parts.map((part, index) =>
    index === first && !part.thoughtSignature ? { ...part, thoughtSignature: DUMMY_SIGNATURE } : part,
  )
}
