/** PDF documents by their objects, good or bad. */
import { deflateSync } from 'node:zlib'

export type PdfObject = string | { readonly dictionary: string; readonly stream: Uint8Array }

/** Objects from 1 on; the first is the catalogue. */
export function writePdf(objects: readonly PdfObject[], trailer = ''): Buffer {
  const pieces: Buffer[] = []
  let at = 0
  const add = (piece: string | Uint8Array) => {
    const bytes = typeof piece === 'string' ? Buffer.from(piece, 'latin1') : Buffer.from(piece)
    pieces.push(bytes)
    at += bytes.length
  }
  add('%PDF-1.7\n')
  const offsets = objects.map((object, index) => {
    const offset = at
    add(`${index + 1} 0 obj\n`)
    if (typeof object === 'string') add(object)
    else {
      add(`<< ${object.dictionary} /Length ${object.stream.length} >>\nstream\n`)
      add(object.stream)
      add('\nendstream')
    }
    add('\nendobj\n')
    return offset
  })
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  const start = at
  const count = objects.length + 1
  add(`xref\n0 ${count}\n0000000000 65535 f \n${table}trailer\n<< /Size ${count} /Root 1 0 R ${trailer} >>\n`)
  add(`startxref\n${start}\n%%EOF\n`)
  return Buffer.concat(pieces)
}

export const CATALOG = '<< /Type /Catalog /Pages 2 0 R >>'
export const FONT = '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>'
export const packed = (content: Uint8Array | string, dictionary = '') => ({
  dictionary: `/Filter /FlateDecode ${dictionary}`,
  stream: deflateSync(content),
})
export const SAY = 'BT /F1 12 Tf 72 700 Td (The heron nests in March.) Tj ET\n'

/** One page that shows the content; `more`: objects from 6 on, `resources`: of the page. */
export function pageOf(
  content: PdfObject,
  { resources = '', font = FONT as PdfObject, more = [] as PdfObject[] } = {},
): Buffer {
  const page = `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 5 0 R /Resources << /Font << /F1 4 0 R >> ${resources} >> >>`
  return writePdf([CATALOG, '<< /Type /Pages /Kids [3 0 R] /Count 1 >>', page, font, content, ...more])
}

/** Deflated again and again: each layer packs a thousandfold. */
export function layered(bytes: number, layers: number): PdfObject {
  let stream: Uint8Array = Buffer.alloc(bytes, ' ')
  for (let layer = 0; layer < layers; layer += 1) stream = deflateSync(stream, { level: 9 })
  return { dictionary: `/Filter [${'/FlateDecode '.repeat(layers)}]`, stream }
}
