/** `data:` URLs (RFC 2397). */

export type DataUrl = {
  /** Lower case, without parameters; empty where none is said. */
  readonly mediaType: string
  readonly base64: string
}

export class DataUrlError extends Error {
  override readonly name = 'DataUrlError'
}

const DATA_URL = /^data:([^;,]*)((?:;[^;,]*)*),/i
/** A media type and its parameters are never longer. */
const MAX_HEAD_CHARS = 512

/** Null when `text` is no data URL. Throws `DataUrlError` when its payload is not encoded correctly. */
export function readDataUrl(text: string): DataUrl | null {
  const match = DATA_URL.exec(text.slice(0, MAX_HEAD_CHARS))
  if (!match) return null
  const payload = text.slice(match[0].length)
  const isBase64 = match[2]?.toLowerCase().includes(';base64') ?? false
  const base64 = isBase64 ? payload : Buffer.from(decodePercent(payload)).toString('base64')
  return { mediaType: (match[1] ?? '').toLowerCase(), base64 }
}

export const toDataUrl = (mediaType: string, bytes: Uint8Array): string =>
  `data:${mediaType};base64,${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')}`

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (cause) {
    throw new DataUrlError('it is not percent-encoded correctly', { cause })
  }
}
