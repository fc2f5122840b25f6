/** `Content-Disposition` of a download (RFC 6266): whatever a file is called, the header is one line of ASCII. */

const MAX_FALLBACK_CHARS = 100

/** `attachment`, so that no browser shows what a stranger sent as a page of this server. */
export function attachment(filename: string): string {
  const fallback = filename
    .replace(/[^\x20-\x7e]/g, '_')
    .replace(/["\\%]/g, '_')
    .slice(0, MAX_FALLBACK_CHARS)
  return `attachment; filename="${fallback}"; filename*=UTF-8''${encode(filename)}`
}

/** RFC 5987: more has to be escaped than in a URL. */
const encode = (text: string) =>
  encodeURIComponent(text.toWellFormed()).replace(
    /['()*!]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
