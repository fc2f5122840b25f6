/** Content parts of user messages and tool outputs -> parts of a content. */
import type { StoredPart } from '../../protocol/content.ts'
import { ModelError } from '../model.ts'
import { isTextType, readDataUrl, readFileData } from '../upstream/file-data.ts'
import { isMediaType, knownMediaType } from './media-types.ts'
import type { GeminiPart } from './wire.ts'

type StoredImage = Extract<StoredPart, { type: 'input_image' }>
type StoredFile = Extract<StoredPart, { type: 'input_file' }>

export type ContentDialect = {
  /** The model fetches public URLs by itself. */
  readonly fileUrls: boolean
  /** Vertex AI must be told the type of what it fetches. */
  readonly vertex: boolean
}

const refuse = (message: string) => new ModelError('invalid_request', message, { param: 'input' })

/** Throws `ModelError` (`invalid_request`) for content without a form here. */
export function encodePart(part: StoredPart, dialect: ContentDialect): GeminiPart {
  switch (part.type) {
    case 'input_text':
      return { text: part.text }
    case 'input_image':
      return encodeImage(part, dialect)
    case 'input_file':
      return encodeFile(part, dialect)
    default:
      part satisfies never
      throw refuse('A content part has an unknown type.')
  }
}

function encodeImage({ image_url: url }: StoredImage, dialect: ContentDialect): GeminiPart {
  if (!url) throw refuse('An image given by file_id cannot be sent to this provider: send it as image_url.')
  const data = readDataUrl(url)
  if (!data) return encodeUrl(url, 'image', dialect)
  const { mediaType, base64 } = data
  if (!mediaType.startsWith('image/')) throw refuse(`An image_url holds '${mediaType}', which is not an image.`)
  return { inlineData: { mimeType: mediaType, data: base64 } }
}

function encodeFile(file: StoredFile, dialect: ContentDialect): GeminiPart {
  const name = file.filename || 'file'
  if (file.file_data) {
    const { mediaType, base64 } = readFileData(file.file_data, name)
    const type = knownMediaType(name, mediaType)
    if (type !== null && isTextType(type)) return { text: textOfFile(name, base64) }
    if (type === null || !isMediaType(type)) throw refuse(wrongType(name, type))
    return { inlineData: { mimeType: type, data: base64 } }
  }
  if (file.file_url) return encodeUrl(file.file_url, name, dialect)
  throw refuse(`The file '${name}' cannot be sent to this provider by id: send its content as file_data.`)
}

const textOfFile = (name: string, base64: string) =>
  `File '${name}':\n${Buffer.from(base64, 'base64').toString('utf8')}`

const wrongType = (name: string, type: string | null) =>
  `The file '${name}' is ${type ?? 'of an unknown type'}, and this provider takes PDF, images, audio, video and text. ` +
  'Give it a filename with its ending, or send its text instead.'

const YOUTUBE = /^https:\/\/(www\.)?(youtube\.com\/watch\?|youtu\.be\/)/

/**
 * The provider fetches it, not this server. Never what it would fetch with the operator's own rights: files of the
 * account, and Cloud Storage.
 */
function encodeUrl(url: string, name: string, { fileUrls, vertex }: ContentDialect): GeminiPart {
  const isPublic = url.startsWith('https://') && !OWN_FILES.test(URL.parse(url)?.hostname ?? '')
  if (!isPublic || !(fileUrls || YOUTUBE.test(url))) {
    throw refuse(`This model does not fetch ${describeUrl(url)}: send the content of '${name}' as data instead.`)
  }
  const path = URL.parse(url)?.pathname ?? ''
  const known = knownMediaType(path) ?? knownMediaType(name)
  if (YOUTUBE.test(url)) return { fileData: { fileUri: url, ...(vertex && { mimeType: 'video/mp4' }) } }
  if (known !== null) return { fileData: { mimeType: known, fileUri: url } }
  if (!vertex) return { fileData: { fileUri: url } }
  throw refuse(`The URL of '${name}' does not end like a file, so its type is unknown: send its content as data.`)
}

const OWN_FILES = /(^|\.)generativelanguage\.googleapis\.com$/i

const describeUrl = (url: string) => {
  const { protocol, hostname } = URL.parse(url) ?? { protocol: '', hostname: '' }
  if (protocol === '') return 'what is no URL'
  if (OWN_FILES.test(hostname)) return "files of the operator's account"
  return protocol === 'https:' ? 'files from the web' : `'${protocol}' URLs`
}
