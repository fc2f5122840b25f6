import assert from 'node:assert/strict'
import { test } from 'node:test'
import { zipOf } from '../../test/support/zip.ts'
import { systemClock } from '../lib/clock.ts'
import { DocumentError } from './document-reader.ts'
import { createIsolatedReader } from './isolated-reader.ts'

async function read(filename: string, bytes: Uint8Array): Promise<readonly string[]> {
  const reader = createIsolatedReader(systemClock)
  try {
    const document = { filename, mediaType: 'application/octet-stream', bytes }
    return (await reader.readText(document, new AbortController().signal)).pages
  } finally {
    await reader.close()
  }
}

const paragraph = (text: string) => `<w:p><w:r><w:t>${text}</w:t></w:r></w:p>`
const container = '<container><rootfile full-path="OEBPS/book.opf"/></container>'
const opf = `<package><manifest><item id="b" href="two.xhtml"/><item id="a" href="one.xhtml"/></manifest>
  <spine><itemref idref="a"/><itemref idref="b"/></spine></package>`

test('office documents and books are read in their order, page by page (req 179)', async () => {
  const docx = zipOf({
    'word/document.xml': `<w:document>${paragraph('Tea &amp; &#8364;')}${paragraph('second')}</w:document>`,
  })
  assert.deepEqual(await read('a.docx', docx), ['Tea & €\nsecond'])
  const slide = (text: string) => `<p:sld><a:p><a:r><a:t>${text}</a:t></a:r></a:p></p:sld>`
  const slides = { 'ppt/slides/slide10.xml': slide('ten'), 'ppt/slides/slide2.xml': slide('two') }
  assert.deepEqual(await read('a.pptx', zipOf(slides)), ['two', 'ten'])
  const sheet =
    '<row r="1"><c r="A1" t="s"><v>1</v></c><c r="B1"><v>42</v></c><c r="C1" t="inlineStr"><is><t>in</t></is></c></row>'
  const strings = '<sst><si><t>zero</t></si><si><r><t>o</t></r><r><t>ne</t></r></si></sst>'
  assert.deepEqual(
    await read('a.xlsx', zipOf({ 'xl/sharedStrings.xml': strings, 'xl/worksheets/sheet1.xml': sheet })),
    ['one\t42\tin'],
  )
  const book = {
    'META-INF/container.xml': container,
    'OEBPS/book.opf': opf,
    'OEBPS/one.xhtml': '<p>first</p>',
    'OEBPS/two.xhtml': '<p>next</p>',
  }
  assert.deepEqual(await read('a.epub', zipOf(book)), ['first', 'next'])
})

const document = '<w:document/>'
const BOMB = new Uint8Array(100 * 1024 * 1024)
const many = Object.fromEntries(Array.from({ length: 10_001 }, (_, at) => [`word/${at}.xml`, '']))
const cut = zipOf({ 'word/document.xml': paragraph('x'.repeat(5000)) })

for (const [name, file, bytes, kind] of [
  ['no archive', 'a.docx', Buffer.from('hello'), 'malformed'],
  ['an empty file', 'a.docx', new Uint8Array(), 'malformed'],
  ['an archive of something else', 'a.docx', zipOf({ 'readme.txt': 'x' }), 'malformed'],
  ['a bomb of zeros', 'a.docx', zipOf({ 'word/document.xml': BOMB }), 'too-large'],
  ['a bomb in a sheet', 'a.xlsx', zipOf({ 'xl/worksheets/sheet1.xml': BOMB }), 'too-large'],
  ['too many files', 'a.docx', zipOf(many), 'too-large'],
  ['no text', 'a.docx', zipOf({ 'word/document.xml': document }), 'empty'],
  ['no slides', 'a.pptx', zipOf({ 'ppt/presentation.xml': 'x' }), 'malformed'],
  ['no sheets', 'a.xlsx', zipOf({ 'xl/workbook.xml': 'x' }), 'malformed'],
  ['a book without its package', 'a.epub', zipOf({ 'META-INF/container.xml': container }), 'malformed'],
  ['a book without a container', 'a.epub', zipOf({ 'a.xhtml': 'x' }), 'malformed'],
  ['an archive that was cut off', 'a.docx', cut.slice(0, cut.length / 2), 'malformed'],
  ['random bytes after the signature', 'a.epub', Uint8Array.from([0x50, 0x4b, 3, 4, 9, 9, 9, 9]), 'malformed'],
  ['unclosed tags', 'a.docx', zipOf({ 'word/document.xml': '<w:p>'.repeat(200_000) }), 'empty'],
] as const) {
  test(`a document that is ${name} is a clear error (req 179)`, async () => {
    await assert.rejects(read(file, bytes), (error) => error instanceof DocumentError && error.kind === kind)
  })
}

test('a sheet is read cell by cell, whatever else stands in its rows', async () => {
  const sheet = `<row r="1"><c r="A1"/><c r="B1" t="str"><f>A1&amp;"x"</f><v>a &amp; b</v></c><c r="C1" t='s'><v>0</v></c></row>
    <row r="2"/><row r="3"><c t="s"><v>7</v></c></row><row r="4"><c><v></v></c><c><v>2</v></c></row>`
  const strings = '<sst><si><t xml:space="preserve">in <rPh/></t><phoneticPr/></si></sst>'
  assert.deepEqual(
    await read('a.xlsx', zipOf({ 'xl/sharedStrings.xml': strings, 'xl/worksheets/sheet1.xml': sheet })),
    ['\ta & b\tin \n\t2'],
  )
})

test('entities are not expanded, whatever a document declares', async () => {
  const xml = `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]><w:document>${paragraph('&b; end')}</w:document>`
  assert.deepEqual(await read('a.docx', zipOf({ 'word/document.xml': xml })), ['&b; end'])
})
