/** Office documents and books that are bombs: in their archive, or in their XML. */
import { randomBytes } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { writeZip, type ZipEntry } from '../../support/zip.ts'
import { type FileBomb, MB } from './file-bomb.ts'

const ZEROS = Buffer.alloc(100 * MB)
const words = (text: string) => `<w:document><w:body>${text}</w:body></w:document>`
const paragraph = (text: string) => `<w:p><w:r><w:t>${text}</w:t></w:r></w:p>`
const docx = (content: string | Uint8Array, more: readonly ZipEntry[] = []) =>
  writeZip([{ name: 'word/document.xml', content }, ...more])
const xlsx = (sheet: string, strings = '<sst/>') =>
  writeZip([
    { name: 'xl/sharedStrings.xml', content: strings },
    { name: 'xl/worksheets/sheet1.xml', content: `<worksheet>${sheet}</worksheet>` },
  ])

const CONTAINER = '<container><rootfiles><rootfile full-path="b/book.opf"/></rootfiles></container>'
const epub = (opf: string, chapter = '<p>A chapter about herons.</p>') =>
  writeZip([
    { name: 'META-INF/container.xml', content: CONTAINER },
    { name: 'b/book.opf', content: opf },
    { name: 'b/one.xhtml', content: chapter },
  ])

/** Ten entities, each ten times the one before: a gigabyte of laughter. */
const LAUGHS = `<!DOCTYPE x [<!ENTITY l0 "${'lol'.repeat(10)}">${Array.from(
  { length: 9 },
  (_, at) => `<!ENTITY l${at + 1} "${`&l${at};`.repeat(10)}">`,
).join('')}]>`
const EXTERNAL = '<!DOCTYPE x [<!ENTITY secret SYSTEM "file:///etc/passwd"><!ENTITY out SYSTEM "http://127.0.0.1:9/">]>'
const OVERLAP_ENTRIES = 5_000
/** Every entry of the directory points to the same bytes. */
const overlapping = () => {
  const content = Buffer.alloc(3 * MB, 'a')
  const packed = deflateRawSync(content)
  return writeZip(
    Array.from({ length: OVERLAP_ENTRIES }, (_, at) => ({
      name: `ppt/slides/slide${at}.xml`,
      ...{ content, packed },
      ...(at > 0 && { liesAt: 0 }),
    })),
  )
}
const nested = () => {
  let inner = writeZip([{ name: 'word/document.xml', content: ZEROS }])
  for (let depth = 0; depth < 6; depth += 1) {
    const content = inner
    inner = writeZip(Array.from({ length: 10 }, (_, at) => ({ name: `word/inner${at}.zip`, content })))
  }
  return inner
}
const slides = (count: number) =>
  writeZip(
    Array.from({ length: count }, (_, at) => [
      { name: `ppt/slides/slide${at + 1}.xml`, content: `<p:sld><a:p><a:t>Slide ${at}</a:t></a:p></p:sld>` },
      { name: `ppt/slides/_rels/slide${at + 1}.xml.rels`, content: '<Relationships/>' },
    ]).flat(),
  )
const SPINE_LOOPS = 200_000
const spine = `<package><manifest><item id="a" href="one.xhtml"/></manifest><spine>${'<itemref idref="a"/>'.repeat(SPINE_LOOPS)}</spine></package>`
const truncated = (whole: Buffer) => whole.subarray(0, Math.floor(whole.length * 0.6))
const incompressible = () => docx(words(paragraph(randomBytes(20_000).toString('hex'))))

export const OFFICE_BOMBS: readonly FileBomb[] = [
  { name: 'a flat bomb of zeros', filename: 'flat.docx', make: () => docx(ZEROS), ends: 'too-large' },
  { name: 'archives in archives', filename: 'nested.docx', make: nested, ends: 'malformed' },
  {
    name: 'five thousand entries that lie at one place',
    filename: 'overlap.pptx',
    make: overlapping,
    ends: 'too-large',
  },
  {
    name: 'an entry that unpacks to more than it says',
    filename: 'lying.docx',
    make: () => writeZip([{ name: 'word/document.xml', content: ZEROS, saysBytes: 1_000 }]),
    ends: 'malformed',
  },
  {
    name: 'an entry that says it has four gigabytes',
    filename: 'boasting.docx',
    make: () => writeZip([{ name: 'word/document.xml', content: words('x'), saysBytes: 0xfffffffe }]),
    ends: 'too-large',
  },
  {
    name: 'an entry that says it has less than the limit and has a few bytes',
    filename: 'hollow.docx',
    make: () => writeZip([{ name: 'word/document.xml', content: words(paragraph('x')), saysBytes: 3 * MB }]),
    ends: 'malformed',
  },
  {
    name: 'a billion laughs in a DOCX',
    filename: 'laughs.docx',
    make: () => docx(`${LAUGHS}${words(paragraph('Herons &l9; end'))}`),
    ends: 'text',
  },
  {
    name: 'a billion laughs in an XLSX',
    filename: 'laughs.xlsx',
    make: () => xlsx('<row><c t="inlineStr"><is><t>&l9;</t></is></c></row>', `${LAUGHS}<sst/>`),
    ends: 'text',
  },
  {
    name: 'a billion laughs in an EPUB',
    filename: 'laughs.epub',
    make: () =>
      epub(
        `${LAUGHS}<package><manifest><item id="a" href="one.xhtml"/></manifest><spine><itemref idref="a"/></spine></package>`,
        `${LAUGHS}<html><body>&l9;</body></html>`,
      ),
    ends: 'text',
  },
  {
    name: 'external entities in a DOCX',
    filename: 'external.docx',
    make: () => docx(`${EXTERNAL}${words(paragraph('&secret;&out;'))}`),
    ends: 'text',
  },
  {
    name: 'a sheet of a million empty rows',
    filename: 'rows.xlsx',
    make: () => xlsx(Array.from({ length: 1_000_000 }, (_, at) => `<row r="${at + 1}"></row>`).join('')),
    ends: 'empty',
  },
  {
    name: 'a sheet with a cell in its last row and column',
    filename: 'sparse.xlsx',
    make: () => xlsx('<dimension ref="A1:XFD1048576"/><row r="1048576"><c r="XFD1048576"><v>42</v></c></row>'),
    ends: 'text',
  },
  {
    name: 'a million cells of one long shared string',
    filename: 'strings.xlsx',
    make: () => {
      const rows = `<row>${'<c t="s"><v>0</v></c>'.repeat(100)}</row>`.repeat(1_500)
      return xlsx(rows, `<sst><si><t>${'heron '.repeat(5_000)}</t></si></sst>`)
    },
    ends: 'too-large',
  },
  {
    name: 'a million shared strings that nothing closes',
    filename: 'unclosed.xlsx',
    make: () => xlsx('<row><c><v>1</v></c></row>', `<sst>${'<si><t>'.repeat(500_000)}`),
    ends: 'text',
  },
  {
    name: 'a document of nothing but tags that nothing closes',
    filename: 'angles.docx',
    make: () => docx(`${words(paragraph('x'))}${'<'.repeat(3 * MB)}`),
    ends: 'text',
  },
  { name: 'a talk of 10,000 slides', filename: 'slides.pptx', make: () => slides(10_000), ends: 'too-large' },
  {
    name: 'a book whose spine comes back to one chapter',
    filename: 'spine.epub',
    make: () => epub(spine),
    ends: 'too-large',
  },
  {
    name: 'a book whose manifest names itself and the way out',
    filename: 'paths.epub',
    make: () =>
      epub(
        '<package><manifest><item id="a" href="../../../etc/passwd"/><item id="b" href="book.opf"/></manifest><spine><itemref idref="a"/><itemref idref="b"/></spine></package>',
      ),
    ends: 'empty',
  },
  { name: 'a DOCX that was cut off', filename: 'cut.docx', make: () => truncated(incompressible()), ends: 'malformed' },
  { name: 'an XLSX that was cut off', filename: 'cut.xlsx', make: () => truncated(xlsx('<row/>')), ends: 'malformed' },
  { name: 'a PPTX that was cut off', filename: 'cut.pptx', make: () => truncated(slides(20)), ends: 'malformed' },
  {
    name: 'an EPUB that was cut off',
    filename: 'cut.epub',
    make: () => truncated(epub('<package/>')),
    ends: 'malformed',
  },
]
