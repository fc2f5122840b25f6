/** PDF: its pages as JPEG pictures. Runs in the process that reads documents. */
import { encode } from 'jpeg-js'
import type { Drawing, PageImage } from './document-reader.ts'
import { openPdf } from './open-pdf.ts'

/** Of 100: small letters stay sharp, and a scanned page takes a tenth of what it takes as PNG. */
const QUALITY = 80

export async function* drawPdf(document: Uint8Array, { pages, side }: Drawing): AsyncGenerator<PageImage> {
  const pdf = await openPdf(document)
  const drawn = Math.min(pages, pdf.pageCount)
  for (let page = 0; page < drawn; page += 1) {
    const bytes = pdf.withPage(page, ({ draw }) => draw(side, (drawn) => encode(drawn, QUALITY).data))
    yield { page: page + 1, mediaType: 'image/jpeg', bytes }
  }
}
