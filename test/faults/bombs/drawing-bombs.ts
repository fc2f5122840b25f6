/** PDF documents that are read in no time, and are bombs to whoever draws their pages. */

import { CATALOG, FONT, layered, type PdfObject, packed, pageOf, writePdf } from '../../support/write-pdf.ts'
import { type FileBomb, MB } from './file-bomb.ts'

const SIDE = 60_000

const drawnImage = (image: PdfObject) =>
  pageOf(packed('612 0 0 792 0 0 cm /I Do'), { resources: '/XObject << /I 6 0 R >>', more: [image] })

const imageOf = (fields: string) => `/Type /XObject /Subtype /Image /Width ${SIDE} /Height ${SIDE} ${fields}`

/** All its data is there, packed twice: 450 MB. */
function hugeBitmap(): Buffer {
  const { dictionary, stream } = layered((SIDE / 8) * SIDE, 2) as Exclude<PdfObject, string>
  return drawnImage({ dictionary: `${dictionary} ${imageOf('/ColorSpace /DeviceGray /BitsPerComponent 1')}`, stream })
}

const hugeColours = () =>
  drawnImage(packed(Buffer.alloc(5 * MB), imageOf('/ColorSpace /DeviceRGB /BitsPerComponent 8')))

const hugePicture = (filter: string) =>
  drawnImage({
    dictionary: imageOf(`/ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /${filter}`),
    stream: Buffer.alloc(1_000, 7),
  })

const boxOf = (box: string) =>
  writePdf([
    CATALOG,
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    `<< /Type /Page /Parent 2 0 R /MediaBox [${box}] /Contents 5 0 R >>`,
    FONT,
    packed('0 0 0 rg 0 0 1000 1000 re f'),
  ])

const tinyTiles = () =>
  pageOf(packed('/Pattern cs /P scn 0 0 612 792 re f'), {
    resources: '/Pattern << /P 6 0 R >>',
    more: [
      packed(
        '0 0 1 1 re f',
        '/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 1 1] /XStep 0.001 /YStep 0.001 /Resources << >>',
      ),
    ],
  })

const tinyDashes = () => pageOf(packed('[0.00001] 0 d 1 w\n'.concat('0 0 m 600 700 l S\n'.repeat(1_000))))

/** Groups that are drawn apart and laid over each other, each the ground of the next. */
const groups = (depth: number) =>
  pageOf(packed('/X0 Do'), {
    resources: '/XObject << /X0 6 0 R >>',
    more: Array.from({ length: depth }, (_, at) =>
      packed(
        at === depth - 1 ? '0 0 600 700 re f' : `/G gs /X${at + 1} Do /X${at + 1} Do`,
        `/Type /XObject /Subtype /Form /BBox [0 0 612 792] /Group << /S /Transparency /I true >> /Resources << /ExtGState << /G << /ca 0.5 /BM /Multiply >> >> /XObject << /X${at + 1} ${7 + at} 0 R >> >>`,
      ),
    ),
  })

const manyPaths = () => pageOf(packed('0 0 m 600 10 20 700 610 790 c 5 5 m 300 700 600 10 9 9 c B*\n'.repeat(100_000)))

export const DRAWING_BOMBS: readonly FileBomb[] = [
  {
    name: 'a PDF that shows a bitmap of 450 MB',
    filename: 'bitmap.pdf',
    make: hugeBitmap,
    ends: 'empty',
    drawn: 'images',
    isLong: true,
  },
  {
    name: 'a PDF that shows an image of ten gigabytes',
    filename: 'colours.pdf',
    make: hugeColours,
    ends: 'empty',
    drawn: 'images',
  },
  {
    name: 'a PDF that shows a broken JPEG 2000',
    filename: 'jpx.pdf',
    make: () => hugePicture('JPXDecode'),
    ends: 'empty',
    drawn: 'images',
  },
  {
    name: 'a PDF that shows a broken JBIG2',
    filename: 'jbig2.pdf',
    make: () => hugePicture('JBIG2Decode'),
    ends: 'empty',
    drawn: 'too-large',
  },
  {
    name: 'a PDF page a thousand kilometres wide',
    filename: 'wide.pdf',
    make: () => boxOf('0 0 3e12 3e12'),
    ends: 'empty',
    drawn: 'images',
  },
  {
    name: 'a PDF page without a size',
    filename: 'flat.pdf',
    make: () => boxOf('0 0 0 0'),
    ends: 'empty',
    drawn: 'images',
  },
  {
    name: 'a PDF page as thin as a thread',
    filename: 'thread.pdf',
    make: () => boxOf('0 0 0.0001 9000'),
    ends: 'empty',
    drawn: 'images',
  },
  {
    name: 'a PDF of a pattern of tiny tiles',
    filename: 'tiles.pdf',
    make: tinyTiles,
    ends: 'empty',
    drawn: 'too-large',
    isLong: true,
  },
  {
    name: 'a PDF of lines of tiny dashes',
    filename: 'dashes.pdf',
    make: tinyDashes,
    ends: 'empty',
    drawn: 'too-large',
    isLong: true,
  },
  {
    name: 'a PDF of groups in groups',
    filename: 'groups.pdf',
    make: () => groups(40),
    ends: 'too-large',
    drawn: 'too-large',
  },
  {
    name: 'a PDF of 100,000 large curves',
    filename: 'curves.pdf',
    make: manyPaths,
    ends: 'empty',
    drawn: 'too-large',
    isLong: true,
  },
]
