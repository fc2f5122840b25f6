/** What an `input_file` or a data URL holds: its media type and its bytes as base64. */
import { type DataUrl, readDataUrl as parseDataUrl } from '../../lib/data-url.ts'
import { ModelError } from '../model.ts'

export type FileData = DataUrl

/** Null when `text` is no data URL. Throws `ModelError` when its payload is not encoded correctly. */
export function readDataUrl(text: string): FileData | null {
  try {
    return parseDataUrl(text)
  } catch (cause) {
    throw new ModelError('invalid_request', 'A file_data URL is not percent-encoded correctly.', {
      param: 'input',
      cause,
    })
  }
}

/** `file_data` comes as a data URL or as bare base64; where it does not say its type, the name tells it. */
export function readFileData(data: string, name: string): FileData {
  const { mediaType, base64 } = readDataUrl(data) ?? { mediaType: '', base64: data }
  return { mediaType: mediaType || mediaTypeOf(name), base64 }
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
/** Whether a model can simply read it. */
export const isTextType = (type: string) => type.startsWith('text/') || TEXT_TYPES.has(type) || type.endsWith('+json')

const TEXT_NAMES =
  /\.(txt|md|markdown|csv|tsv|json|jsonl|xml|ya?ml|toml|ini|html?|css|m?[jt]sx?|py|rb|go|rs|java|c|h|cc|cpp|hpp|cs|php|sh|sql|log|tex|srt|vtt)$/i

/** By the end of a file's name. */
export const mediaTypeOf = (name: string): string => {
  if (TEXT_NAMES.test(name)) return 'text/plain'
  return /\.pdf$/i.test(name) ? 'application/pdf' : 'application/octet-stream'
}
