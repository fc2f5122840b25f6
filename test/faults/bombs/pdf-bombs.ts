/** PDF documents that are bombs, or broken. */
import { makePdf } from '../../support/pdf.ts'
import { CATALOG, FONT, layered, type PdfObject, packed, pageOf, SAY, writePdf } from '../../support/write-pdf.ts'
import { type FileBomb, MB } from './file-bomb.ts'

const manyPages = (count: number) =>
  writePdf([
    CATALOG,
    `<< /Type /Pages /Kids [${Array.from({ length: count }, (_, at) => `${at + 3} 0 R`).join(' ')}] /Count ${count} >>`,
    ...Array.from({ length: count }, () => '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>'),
  ])

const pageTreeLoop = () =>
  writePdf([
    CATALOG,
    '<< /Type /Pages /Kids [3 0 R 3 0 R] /Count 4 /Parent 3 0 R >>',
    '<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 4 /Parent 2 0 R >>',
  ])

const image = () =>
  pageOf(`${'<< /Length 3 >>'}\nstream\nq Q\nendstream`, {
    resources: '/XObject << /I 6 0 R >>',
    more: [
      packed(
        Buffer.alloc(50 * MB),
        '/Type /XObject /Subtype /Image /Width 60000 /Height 60000 /ColorSpace /DeviceRGB /BitsPerComponent 8',
      ),
    ],
  })

/** An object stream that extends the other, which extends it. */
const objectStreams = () =>
  writePdf([
    '<< /Type /Catalog /Pages 6 0 R >>',
    packed('6 0 7 10 << /Type 6 0 R >>', '/Type /ObjStm /N 2 /First 9 /Extends 3 0 R'),
    packed('7 0 6 10 << /Type 7 0 R >>', '/Type /ObjStm /N 2 /First 9 /Extends 2 0 R'),
  ])

const mapped = (ranges: string): PdfObject =>
  packed(
    `/CIDInit /ProcSet findresource begin begincmap\n1 begincodespacerange <0000> <FFFF> endcodespacerange\n${ranges}\nendcmap`,
  )
const fontBomb = () =>
  pageOf(packed(`BT /F1 12 Tf 72 700 Td <00410042> Tj ET`), {
    font: '<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /ToUnicode 6 0 R /DescendantFonts [7 0 R] >>',
    more: [
      mapped('100 beginbfrange\n'.concat('<00000000> <00FFFFFE> <0041>\n'.repeat(100), 'endbfrange')),
      '<< /Type /Font /Subtype /CIDFontType2 /BaseFont /X /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /FontDescriptor 8 0 R >>',
      '<< /Type /FontDescriptor /FontName /X /Flags 4 /FontFile2 9 0 R >>',
      packed(Buffer.alloc(30 * MB, 7)),
    ],
  })

const formLoop = () =>
  pageOf(packed('/X0 Do'), {
    resources: '/XObject << /X0 6 0 R >>',
    more: [
      packed(
        `${SAY}/X0 Do /X0 Do`,
        '/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X0 6 0 R >> /Font << /F1 4 0 R >> >>',
      ),
    ],
  })

/** Forms that draw the next one ten times: 10^8 times the text. */
const formLaughs = () =>
  pageOf(packed('/X0 Do'), {
    resources: '/XObject << /X0 6 0 R >>',
    more: Array.from({ length: 9 }, (_, at) =>
      packed(
        at === 8 ? SAY : `/X${at + 1} Do `.repeat(10),
        `/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X${at + 1} ${7 + at} 0 R >> /Font << /F1 4 0 R >> >>`,
      ),
    ),
  })

const script = () =>
  writePdf([
    '<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /JavaScript /JS (while \\(true\\) {}) >> >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 5 0 R /Resources << /Font << /F1 4 0 R >> >> >>',
    FONT,
    packed(SAY),
  ])

const encrypted = () => {
  const id = '00112233445566778899aabbccddeeff'
  const keys = `/Filter /Standard /V 1 /R 2 /P -4 /O <${'ab'.repeat(32)}> /U <${'cd'.repeat(32)}>`
  const whole = makePdf(['locked']).toString('latin1')
  return Buffer.from(whole.replace('/Root 1 0 R', `/Root 1 0 R /ID [<${id}> <${id}>] /Encrypt << ${keys} >>`), 'latin1')
}

const brokenXref = () =>
  Buffer.from(
    makePdf(['The heron nests in March.'])
      .toString('latin1')
      .replace(/\d{10} 00000 n/g, '9999999999 00000 n'),
    'latin1',
  )

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=',
  'base64',
)
const DEEP = 500_000

export const PDF_BOMBS: readonly FileBomb[] = [
  {
    name: 'a PDF whose page tree comes back to itself',
    filename: 'loop.pdf',
    make: pageTreeLoop,
    ends: 'malformed',
    drawn: 'malformed',
  },
  {
    name: 'a PDF of 100,000 pages',
    filename: 'pages.pdf',
    make: () => manyPages(100_000),
    ends: 'too-large',
    drawn: 'too-large',
    isLong: true,
  },
  {
    name: 'a PDF page that unpacks to half a gigabyte',
    filename: 'flate.pdf',
    make: () => pageOf(layered(500 * MB, 2)),
    ends: 'too-large',
    drawn: 'too-large',
    isLong: true,
  },
  {
    name: 'a PDF page of a million texts',
    filename: 'texts.pdf',
    make: () => pageOf(packed(SAY.repeat(1_000_000))),
    ends: 'too-large',
    drawn: 'too-large',
    isLong: true,
  },
  {
    name: 'a PDF without a table of its objects',
    filename: 'xref.pdf',
    make: brokenXref,
    ends: 'text',
    drawn: 'images',
  },
  {
    name: 'a PDF that asks for a password',
    filename: 'locked.pdf',
    make: encrypted,
    ends: 'encrypted',
    drawn: 'encrypted',
  },
  { name: 'a PDF with an image of ten gigabytes', filename: 'image.pdf', make: image, ends: 'empty', drawn: 'images' },
  {
    name: 'a PDF whose object streams extend each other',
    filename: 'objects.pdf',
    make: objectStreams,
    ends: 'malformed',
    drawn: 'malformed',
  },
  {
    name: 'a PDF with a font that maps too much',
    filename: 'font.pdf',
    make: fontBomb,
    ends: 'text',
    drawn: 'images',
  },
  { name: 'a PDF form that draws itself', filename: 'form.pdf', make: formLoop, ends: 'too-large', drawn: 'too-large' },
  {
    name: 'PDF forms that draw each other ten times',
    filename: 'forms.pdf',
    make: formLaughs,
    ends: 'too-large',
    drawn: 'too-large',
  },
  { name: 'a PDF with a script without end', filename: 'script.pdf', make: script, ends: 'text', drawn: 'images' },
  {
    name: 'a PDF of half a million arrays in each other',
    filename: 'arrays.pdf',
    make: () => pageOf(packed(`${'['.repeat(DEEP)}${SAY}`)),
    ends: 'empty',
    drawn: 'images',
  },
  {
    name: 'a PDF that was cut off',
    filename: 'cut.pdf',
    make: () => makePdf(['The heron nests in March.']).subarray(0, 120),
    ends: 'malformed',
    drawn: 'malformed',
  },
  {
    name: 'an image that is called a PDF',
    filename: 'image-as.pdf',
    make: () => PNG,
    ends: 'malformed',
    drawn: 'malformed',
  },
  {
    name: 'a file that is a PDF and an archive',
    filename: 'polyglot.pdf',
    make: () => Buffer.concat([makePdf(['The heron nests in March.']), Buffer.from('PK\x03\x04'), Buffer.alloc(100)]),
    ends: 'text',
    drawn: 'images',
  },
]
