/** Content parts of user messages and tool outputs -> what a chat message may hold. */
import type { StoredPart } from '../../protocol/content.ts'
import { ModelError } from '../model.ts'
import type { ChatFilePart, ChatImagePart, ChatPart, ChatTextPart } from './wire.ts'

type StoredImage = Extract<StoredPart, { type: 'input_image' }>
type StoredFile = Extract<StoredPart, { type: 'input_file' }>

const refuse = (message: string) => new ModelError('invalid_request', message, { param: 'input' })

/** A user message: a plain string when it is text only, which every server takes; else parts in their order. */
export function encodeContent(parts: readonly StoredPart[], fileParts: boolean): string | readonly ChatPart[] {
  const encoded = parts.map((part) => encodePart(part, fileParts))
  return encoded.every((part) => part.type === 'text') ? joinText(encoded) : encoded
}

export const joinText = (parts: readonly ChatTextPart[]): string => parts.map(({ text }) => text).join('\n')

export function encodePart(part: StoredPart, fileParts: boolean): ChatPart {
  switch (part.type) {
    case 'input_text':
      return { type: 'text', text: part.text }
    case 'input_image':
      return encodeImage(part)
    case 'input_file':
      return encodeFile(part, fileParts)
    default:
      part satisfies never
      throw refuse('A content part has an unknown type.')
  }
}

function encodeImage({ image_url: url, detail }: StoredImage): ChatImagePart {
  if (!url) throw refuse('An image given by file_id cannot be sent to this provider: send it as image_url.')
  if (detail === 'auto') return { type: 'image_url', image_url: { url } }
  return { type: 'image_url', image_url: { url, detail: detail === 'low' ? 'low' : 'high' } }
}

function encodeFile(file: StoredFile, fileParts: boolean): ChatTextPart | ChatFilePart {
  const name = file.filename || 'file'
  if (!file.file_data) {
    throw refuse(`The file '${name}' cannot be sent to this provider by id or URL: send its content as file_data.`)
  }
  const { mediaType, base64, dataUrl } = readFileData(file.file_data, name)
  if (isTextType(mediaType)) {
    return { type: 'text', text: `File '${name}':\n${Buffer.from(base64, 'base64').toString('utf8')}` }
  }
  if (!fileParts) {
    throw refuse(`The file '${name}' is ${mediaType}, and this provider takes only text files. Send its text instead.`)
  }
  return { type: 'file', file: { filename: name, file_data: dataUrl } }
}

const DATA_URL = /^data:([^;,]*)((?:;[^;,]*)*),/i

/** `file_data` comes as a data URL or as bare base64; then the name tells the type. */
function readFileData(data: string, name: string) {
  const match = DATA_URL.exec(data.slice(0, 512))
  if (!match) {
    const mediaType = mediaTypeOf(name)
    return { mediaType, base64: data, dataUrl: `data:${mediaType};base64,${data}` }
  }
  const mediaType = (match[1] || mediaTypeOf(name)).toLowerCase()
  const payload = data.slice(match[0].length)
  const isBase64 = match[2]?.toLowerCase().includes(';base64') ?? false
  const base64 = isBase64 ? payload : Buffer.from(decodePercent(payload)).toString('base64')
  return { mediaType, base64, dataUrl: `data:${mediaType};base64,${base64}` }
}

const decodePercent = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch (cause) {
    throw new ModelError('invalid_request', 'A file_data URL is not percent-encoded correctly.', {
      param: 'input',
      cause,
    })
  }
}

const TEXT_TYPES: ReadonlySet<string> = new Set([
  'application/json',
  'application/xml',
  'application/yaml',
  'application/x-yaml',
  'application/toml',
  'application/javascript',
  'application/typescript',
  'application/sql',
  'application/x-sh',
  'image/svg+xml',
])
const isTextType = (type: string) => type.startsWith('text/') || TEXT_TYPES.has(type) || type.endsWith('+json')

const TEXT_NAMES =
  /\.(txt|md|markdown|csv|tsv|json|jsonl|xml|ya?ml|toml|ini|html?|css|m?[jt]sx?|py|rb|go|rs|java|c|h|cc|cpp|hpp|cs|php|sh|sql|log|tex|srt|vtt)$/i

const mediaTypeOf = (name: string): string => {
  if (TEXT_NAMES.test(name)) return 'text/plain'
  return /\.pdf$/i.test(name) ? 'application/pdf' : 'application/octet-stream'
}
