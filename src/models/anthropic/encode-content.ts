/** Content parts of messages and tool outputs -> content blocks. */
import type { StoredPart } from '../../protocol/content.ts'
import { ModelError } from '../model.ts'
import { isTextType, mediaTypeOf, readDataUrl, readFileData } from '../upstream/file-data.ts'
import type { CacheControl, ContentBlock, DocumentBlock, ImageBlock } from './wire.ts'

type StoredImage = Extract<StoredPart, { type: 'input_image' }>
type StoredFile = Extract<StoredPart, { type: 'input_file' }>

const refuse = (message: string) => new ModelError('invalid_request', message, { param: 'input' })

/** A mark of the client that says: cache up to here. It becomes final in encode-cache. */
const MARK: CacheControl = { type: 'ephemeral' }

/**
 * Throws `ModelError` (`invalid_request`) for media this provider has no form for. Text without anything to see is left
 * out, because it is refused there.
 */
export function encodeParts(parts: readonly StoredPart[]): ContentBlock[] {
  return parts.flatMap((part): ContentBlock[] => {
    const block = encodePart(part)
    if (block.type === 'text' && block.text.trim() === '') return []
    return [part.prompt_cache_breakpoint ? { ...block, cache_control: MARK } : block]
  })
}

function encodePart(part: StoredPart): ContentBlock {
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

const IMAGE_TYPES: ReadonlySet<string> = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp'])

function encodeImage({ image_url: url }: StoredImage): ImageBlock {
  if (!url) throw refuse('An image given by file_id cannot be sent to this provider: send it as image_url.')
  const data = readDataUrl(url)
  if (!data) return { type: 'image', source: { type: 'url', url } }
  const mediaType = data.mediaType === 'image/jpg' ? 'image/jpeg' : data.mediaType
  if (!IMAGE_TYPES.has(mediaType)) {
    throw refuse(`An image is ${mediaType || 'of no stated type'}; this provider takes JPEG, PNG, GIF and WebP.`)
  }
  return { type: 'image', source: { type: 'base64', media_type: mediaType, data: data.base64 } }
}

const PDF = 'application/pdf'

function encodeFile({ file_data: data, file_url: url, filename }: StoredFile): DocumentBlock {
  const title = filename ? { title: filename } : {}
  if (data) return { type: 'document', source: encodeFileData(data, filename ?? 'file'), ...title }
  if (!url) throw refuse(`The file '${filename ?? 'file'}' cannot be sent to this provider by id: send its content.`)
  const path = URL.parse(url)?.pathname ?? ''
  if (mediaTypeOf(filename ?? path) === 'text/plain') {
    throw refuse('This provider fetches only PDFs by URL: send the content of other files as file_data.')
  }
  return { type: 'document', source: { type: 'url', url }, ...title }
}

function encodeFileData(data: string, name: string): DocumentBlock['source'] {
  const { mediaType, base64 } = readFileData(data, name)
  if (mediaType === PDF) return { type: 'base64', media_type: PDF, data: base64 }
  if (isTextType(mediaType)) {
    const text = Buffer.from(base64, 'base64').toString('utf8')
    // A document without text is refused there.
    return { type: 'text', media_type: 'text/plain', data: text.trim() === '' ? '(The file is empty.)' : text }
  }
  throw refuse(`The file '${name}' is ${mediaType}, and this provider takes only PDF and text files.`)
}
