/** Content parts of user messages and tool outputs -> what a chat message may hold. */
import type { StoredPart } from '../../protocol/content.ts'
import { ModelError } from '../model.ts'
import { isTextType, readFileData } from '../upstream/file-data.ts'
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
  const { mediaType, base64 } = readFileData(file.file_data, name)
  if (isTextType(mediaType)) {
    return { type: 'text', text: `File '${name}':\n${Buffer.from(base64, 'base64').toString('utf8')}` }
  }
  if (!fileParts) {
    throw refuse(`The file '${name}' is ${mediaType}, and this provider takes only text files. Send its text instead.`)
  }
  return { type: 'file', file: { filename: name, file_data: `data:${mediaType};base64,${base64}` } }
}
