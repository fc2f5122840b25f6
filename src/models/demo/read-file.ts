/** Bytes of a file or picture in a request. */

const MAX_TEXT_BYTES = 1_048_576

/** The bytes of a `data:` URL or of plain base64; null when there are none. */
export function readBytes(data: string): Buffer | null {
  const comma = data.startsWith('data:') ? data.indexOf(',') : -1
  if (data.startsWith('data:') && comma < 0) return null
  const head = data.slice(0, Math.max(0, comma))
  const body = data.slice(comma + 1)
  const bytes = comma < 0 || head.endsWith(';base64') ? Buffer.from(body, 'base64') : Buffer.from(decode(body), 'utf8')
  return bytes.length > 0 ? bytes : null
}

/** Null for what is not text. Of a long text the first megabyte. A PDF is none, though it may be written in letters alone. */
export function readFileText(data: string): string | null {
  const bytes = readBytes(data)?.subarray(0, MAX_TEXT_BYTES)
  if (!bytes || bytes.includes(0) || bytes.toString('latin1', 0, 5) === '%PDF-') return null
  // A cut at the limit may leave half a character; anything else that is not UTF-8 is not text.
  const text = new TextDecoder('utf-8').decode(bytes)
  const broken = text.split('\uFFFD').length - 1
  return broken <= 1 ? text.replace(/\uFFFD$/, '') : null
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
