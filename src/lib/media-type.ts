/** What kind of content a file's name promises. */

const BY_END: Readonly<Record<string, string>> = {
  pdf: 'application/pdf',
  doc: 'application/msword',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  pptx: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  epub: 'application/epub+zip',
  zip: 'application/zip',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  html: 'text/html',
  htm: 'text/html',
  md: 'text/markdown',
  markdown: 'text/markdown',
  csv: 'text/csv',
  json: 'application/json',
  jsonl: 'application/jsonl',
  xml: 'application/xml',
}

const TEXT_ENDS = new Set(
  (
    'txt tsv yaml yml toml ini css js mjs cjs jsx ts mts cts tsx py rb go rs java kt swift scala c h cc cpp hpp cs php ' +
    'pl r lua sh bash zsh ps1 bat sql log tex rst srt vtt diff patch env conf cfg properties gradle graphql proto vue ' +
    'svelte dart ex exs erl hs clj lisp el'
  ).split(' '),
)

export const BINARY_TYPE = 'application/octet-stream'

/** Lower case. */
export function extensionOf(filename: string): string {
  const dot = filename.lastIndexOf('.')
  return dot === -1 ? '' : filename.slice(dot + 1).toLowerCase()
}

/** `application/octet-stream` for a name that promises nothing. */
export function typeByName(filename: string): string {
  const end = extensionOf(filename)
  return (Object.hasOwn(BY_END, end) ? BY_END[end] : undefined) ?? (TEXT_ENDS.has(end) ? 'text/plain' : BINARY_TYPE)
}

const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/

/**
 * What a sender said of its file, lower case and without parameters. Where it said nothing, what anything is, or no media
 * type at all, the name tells.
 */
export function typeOfFile(given: string, filename: string): string {
  const type = given.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const says = MEDIA_TYPE.test(type) && type !== BINARY_TYPE && type !== 'text/plain'
  if (says) return type
  const named = typeByName(filename)
  return named === BINARY_TYPE && type === 'text/plain' ? type : named
}

/** What a file is called that was found at a URL. */
export function nameInUrl({ pathname }: URL): string {
  const last = pathname.slice(pathname.lastIndexOf('/') + 1)
  try {
    return decodeURIComponent(last) || 'file'
  } catch {
    return last
  }
}
