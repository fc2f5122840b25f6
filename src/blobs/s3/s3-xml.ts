/** The few tags we read of S3's documents, and the one document we write. Values are ids, codes and ETags. */

/** The text of the first such tag; null when there is none. */
export function readTag(document: string, tag: string): string | null {
  const match = new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(document)
  return match?.[1] === undefined ? null : fromXml(match[1])
}

/** The contents of all such tags, which may hold others. */
export const readTags = (document: string, tag: string): readonly string[] =>
  [...document.matchAll(new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`, 'g'))].map(([, inner = '']) => inner)

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }

const fromXml = (text: string) =>
  text.replace(/&(?:(lt|gt|quot|apos|amp)|#x([0-9a-f]{1,6})|#(\d{1,7}));/gi, (all, name, hex, decimal) => {
    if (name !== undefined) return ENTITIES[String(name).toLowerCase()] ?? all
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
    return code <= 0x10ffff ? String.fromCodePoint(code) : all
  })

const toXml = (text: string) => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)

/** The body of `CompleteMultipartUpload`; parts count from 1. */
export const writeParts = (etags: readonly string[]): string =>
  `<CompleteMultipartUpload>${etags
    .map((etag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${toXml(etag)}</ETag></Part>`)
    .join('')}</CompleteMultipartUpload>`
