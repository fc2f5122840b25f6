/** Content parts of user messages and tool outputs -> parts of a prompt. */
import type { LanguageModelV4FilePart, LanguageModelV4TextPart } from '@ai-sdk/provider'
import type { StoredPart } from '../../protocol/content.ts'
import { ModelError } from '../model.ts'
import { isTextType, readDataUrl, readFileData } from '../upstream/file-data.ts'

export type PromptPart = LanguageModelV4TextPart | LanguageModelV4FilePart

const refuse = (message: string) => new ModelError('invalid_request', message, { param: 'input' })

/** Throws `ModelError` (`invalid_request`) for content no package has a form for. */
export function encodePart(part: StoredPart): PromptPart {
  switch (part.type) {
    case 'input_text':
      return { type: 'text', text: part.text }
    case 'input_image':
      return encodeImage(part)
    case 'input_file':
      return encodeFile(part)
    default:
      part satisfies never
      throw refuse('A content part has an unknown type.')
  }
}

/** The whole type where it is known; `image` lets the package find out. */
function encodeImage({ image_url: link }: Extract<StoredPart, { type: 'input_image' }>): LanguageModelV4FilePart {
  if (!link) throw refuse('An image given by file_id cannot be sent to this provider: send it as image_url.')
  const inline = readDataUrl(link)
  if (inline) {
    const { mediaType, base64 } = inline
    return { type: 'file', mediaType: mediaType || 'image', data: { type: 'data', data: base64 } }
  }
  const url = URL.parse(link)
  if (!url) throw refuse('An image_url is no URL.')
  return { type: 'file', mediaType: 'image', data: { type: 'url', url } }
}

function encodeFile(file: Extract<StoredPart, { type: 'input_file' }>): PromptPart {
  const name = file.filename || 'file'
  if (!file.file_data) {
    throw refuse(`The file '${name}' cannot be sent to this provider by id or URL: send its content as file_data.`)
  }
  const { mediaType, base64 } = readFileData(file.file_data, name)
  if (isTextType(mediaType)) {
    return { type: 'text', text: `File '${name}':\n${Buffer.from(base64, 'base64').toString('utf8')}` }
  }
  return { type: 'file', filename: name, mediaType, data: { type: 'data', data: base64 } }
}
