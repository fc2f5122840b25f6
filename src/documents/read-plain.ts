/** Text as it is: prose, code, JSON, CSV. Reading it can harm nobody, so it needs no process of its own. */

const TEXT_TYPES: ReadonlySet<string> = new Set([
  'application/json',
  'application/jsonl',
  'application/x-ndjson',
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

export const isPlainText = (mediaType: string): boolean =>
  mediaType.startsWith('text/') || TEXT_TYPES.has(mediaType) || /\+(json|xml|yaml)$/.test(mediaType)

const BYTE_ORDER_MARKS: readonly [bytes: readonly number[], label: string][] = [
  [[0xef, 0xbb, 0xbf], 'utf-8'],
  [[0xff, 0xfe], 'utf-16le'],
  [[0xfe, 0xff], 'utf-16be'],
]
/** Where a text may say how it is written. */
const HEAD_BYTES = 1_024

/**
 * By its byte order mark, by what it says of itself (`declared`: where that is), as UTF-8 where it is that, and else as
 * Windows wrote it, which fits any bytes.
 */
export function decodeText(bytes: Uint8Array, declared: RegExp | null = null): string {
  const marked = BYTE_ORDER_MARKS.find(([mark]) => mark.every((byte, at) => bytes[at] === byte))?.[1]
  const head = () => Buffer.from(bytes.subarray(0, HEAD_BYTES)).toString('latin1')
  const label = marked ?? (declared === null ? undefined : declared.exec(head())?.[1])
  if (label !== undefined) {
    try {
      return new TextDecoder(label).decode(bytes)
    } catch {
      // An encoding that nobody knows is as good as none.
    }
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('windows-1252').decode(bytes)
  }
}
