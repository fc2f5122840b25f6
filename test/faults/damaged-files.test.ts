/**
 * Good documents of every format, damaged at random: each is read all the same or ends in a clear error, its reader keeps to
 * its memory and its time, and the next document is read as ever.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DocumentError, type SourceDocument } from '../../src/documents/document-reader.ts'
import { createIsolatedReader } from '../../src/documents/isolated-reader.ts'
import { DOCUMENT_LIMITS } from '../../src/documents/reader-processes.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { typeByName } from '../../src/lib/media-type.ts'
import { makeForm, makePdf, makeScan } from '../support/pdf.ts'
import { watchChildren } from '../support/peak-memory.ts'
import { packed, pageOf, SAY } from '../support/write-pdf.ts'
import { zipOf } from '../support/zip.ts'
import { MB } from './bombs/file-bomb.ts'
import { announceSeed, isFull, seededRandom, withinMs } from './seed.ts'

const DAMAGED = isFull ? 2_000 : 60
const SIDE_BY_SIDE = DOCUMENT_LIMITS.running
const MAX_READER_BYTES = 512 * MB
const LIMITS = { ...DOCUMENT_LIMITS, timeMs: withinMs(DOCUMENT_LIMITS.timeMs) }
const DRAWING = { pages: 3, side: 768 }

const picture = () =>
  pageOf(packed(`${SAY}612 0 0 792 0 0 cm /I Do`), {
    resources: '/XObject << /I 6 0 R >>',
    more: [
      packed(
        Buffer.alloc(256, 99),
        '/Type /XObject /Subtype /Image /Width 16 /Height 16 /ColorSpace /DeviceGray /BitsPerComponent 8',
      ),
    ],
  })

const GOOD: Readonly<Record<string, Buffer>> = {
  'letters.pdf': makePdf(['The heron nests in March.', 'It feeds on fish.']),
  'picture.pdf': picture(),
  'form.pdf': makeForm('The heron', { ticked: 'Yes' }),
  'scan.pdf': makeScan(2),
  'a.docx': zipOf({
    'word/document.xml': '<w:document><w:p><w:r><w:t>The heron nests.</w:t></w:r></w:p></w:document>',
  }),
  'a.pptx': zipOf({ 'ppt/slides/slide1.xml': '<p:sld><a:p><a:r><a:t>The heron nests.</a:t></a:r></a:p></p:sld>' }),
  'a.xlsx': zipOf({
    'xl/sharedStrings.xml': '<sst><si><t>The heron</t></si></sst>',
    'xl/worksheets/sheet1.xml': '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1"><v>42</v></c></row>',
  }),
  'a.epub': zipOf({
    'META-INF/container.xml': '<container><rootfile full-path="book.opf"/></container>',
    'book.opf':
      '<package><manifest><item id="a" href="a.xhtml"/></manifest><spine><itemref idref="a"/></spine></package>',
    'a.xhtml': '<p>The heron nests.</p>',
  }),
  'a.html': Buffer.from('<html><body><h1>Herons</h1><table><tr><td>nest</td></tr></table></body></html>'),
}
const NAMES = Object.keys(GOOD)

/** One to eight damages: bytes changed, taken out, put in, said twice, and numbers made other ones. */
function damage(good: Buffer, random: () => number): Buffer {
  let bytes: Buffer = Buffer.from(good)
  const below = (n: number) => Math.floor(random() * n)
  const changes: readonly (() => Buffer)[] = [
    () => replace(bytes, below(bytes.length), 1, Buffer.from([below(256)])),
    () => bytes.subarray(0, below(bytes.length)),
    () => replace(bytes, below(bytes.length), below(64), Buffer.alloc(0)),
    () => replace(bytes, below(bytes.length), 0, bytes.subarray(...spanOf(bytes, below))),
    () => replace(bytes, below(bytes.length), below(16), Buffer.from(Array.from({ length: 16 }, () => below(256)))),
    () => otherNumber(bytes, below, String(2 ** below(40) - below(2))),
  ]
  for (let left = 1 + below(8); left > 0 && bytes.length > 0; left -= 1)
    bytes = changes[below(changes.length)]?.() ?? bytes
  return bytes
}

function spanOf(bytes: Buffer, below: (n: number) => number): [number, number] {
  const from = below(bytes.length)
  return [from, from + below(200)]
}

const replace = (bytes: Buffer, at: number, length: number, by: Buffer) =>
  Buffer.concat([bytes.subarray(0, at), by, bytes.subarray(at + length)])

/** What a format counts with: lengths, ids, places. */
function otherNumber(bytes: Buffer, below: (n: number) => number, number: string): Buffer {
  const found = [...bytes.toString('latin1').matchAll(/\d+/g)]
  const at = found[below(Math.max(found.length, 1))]
  return at === undefined ? bytes : replace(bytes, at.index, at[0].length, Buffer.from(number))
}

test(`each of ${DAMAGED} damaged documents is read or ends in a clear error, within 512 MB`, {
  timeout: 1_200_000,
}, async (t) => {
  const random = seededRandom(announceSeed(t))
  const reader = createIsolatedReader(systemClock, LIMITS)
  const never = new AbortController().signal
  const ends = new Map<string, number>()
  const ended = async (name: string, document: SourceDocument, reading: Promise<unknown>) => {
    const end = await reading.then(
      () => 'read',
      (error: unknown) => {
        if (error instanceof DocumentError) return error.kind
        throw new Error(`${name}, as base64 ${Buffer.from(document.bytes).toString('base64')}`, { cause: error })
      },
    )
    ends.set(end, (ends.get(end) ?? 0) + 1)
  }
  let made = 0
  const watch = watchChildren(process.pid)
  const work = async () => {
    while (made < DAMAGED) {
      const name = NAMES[made++ % NAMES.length] ?? ''
      const bytes = damage(GOOD[name] ?? Buffer.alloc(0), random)
      const document = { filename: name, mediaType: typeByName(name), bytes }
      await ended(name, document, reader.readText(document, never))
      if (reader.draws(document)) await ended(name, document, reader.drawPages(document, DRAWING, never))
    }
  }
  try {
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work))
    const peak = watch.stop()
    t.diagnostic(
      `${[...ends].map(([end, count]) => `${count} ${end}`).join(', ')}; most memory ${Math.round(peak / MB)} MB`,
    )
    assert.ok(peak <= MAX_READER_BYTES, `${peak / MB} MB`)
    assert.ok((ends.get('read') ?? 0) > 0 && (ends.get('malformed') ?? 0) > 0, 'damage neither spares nor breaks all')
    assert.ok(!ends.has('busy'))
    for (const name of NAMES) {
      const document = { filename: name, mediaType: typeByName(name), bytes: GOOD[name] ?? Buffer.alloc(0) }
      if (name === 'scan.pdf') assert.equal((await reader.drawPages(document, DRAWING, never)).length, 2)
      else assert.match((await reader.readText(document, never)).pages.join('\n'), /heron/i, name)
    }
  } finally {
    watch.stop()
    await reader.close()
  }
})
