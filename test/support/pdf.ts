/** Small PDFs, written by hand. */
import { writePdf } from './write-pdf.ts'

/** With these texts on its pages. A line is no wider than a page: some 90 characters. */
export const makePdf = (pages: readonly string[]): Buffer => pagesOf(pages.map(showText))

/** A scan, as far as a reader is concerned: pages without text, each with a black square at its lower left. */
export const makeScan = (pages: number): Buffer =>
  pagesOf(Array.from({ length: pages }, () => '0 0 0 rg 0 0 306 306 re f'))

/** A form with one field, into which this was filled, and two boxes that people know by other names; one is ticked. */
export function makeForm(value: string, { ticked = 'Off' as 'Yes' | 'Off' } = {}): Buffer {
  const widget = (fields: string) => `<< /Type /Annot /Subtype /Widget /P 4 0 R ${fields} >>`
  const box = (name: string, state: string) =>
    widget(
      `/FT /Btn /T (${name}) /TU (I ${name}) /V /${state} /AS /${state} /AP << /N << /Yes 5 0 R /Off 5 0 R >> >> /Rect [72 600 90 620]`,
    )
  return pagesOf([''], {
    catalog: '/AcroForm << /Fields [6 0 R 7 0 R 8 0 R] /NeedAppearances true /DR << /Font << /F1 3 0 R >> >> >>',
    page: '/Annots [6 0 R 7 0 R 8 0 R]',
    more: [
      widget(`/FT /Tx /T (name) /V (${value}) /DA (/F1 12 Tf 0 g) /Rect [72 700 500 720]`),
      box('agree', ticked),
      box('object', 'Off'),
    ],
  })
}

/** `contents`: what is drawn on each page. `more`: objects behind all others. */
function pagesOf(
  contents: readonly string[],
  { catalog = '', page = '', more = [] as readonly string[] } = {},
): Buffer {
  const kids = contents.map((_, at) => `${4 + at * 2} 0 R`).join(' ')
  const objects = [
    `<< /Type /Catalog /Pages 2 0 R ${catalog} >>`,
    `<< /Type /Pages /Kids [${kids}] /Count ${contents.length} >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
    ...contents.flatMap((stream, at) => [
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents ${5 + at * 2} 0 R /Resources << /Font << /F1 3 0 R >> >> ${page} >>`,
      { dictionary: '', stream: Buffer.from(stream, 'latin1') },
    ]),
    ...more,
  ]
  return writePdf(objects)
}

const showText = (text: string) =>
  `BT /F1 12 Tf 14 TL 72 750 Td ${text
    .split('\n')
    .map((line) => `(${line.replace(/[\\()]/g, '\\$&')}) Tj T*`)
    .join(' ')} ET`
