import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { decode } from 'jpeg-js'
import { makeForm, makePdf, makeScan } from '../../test/support/pdf.ts'
import { watchChildren } from '../../test/support/peak-memory.ts'
import { systemClock } from '../lib/clock.ts'
import { typeByName } from '../lib/media-type.ts'
import { DocumentError, type DocumentErrorKind } from './document-reader.ts'
import { createIsolatedReader } from './isolated-reader.ts'
import { DOCUMENT_LIMITS } from './reader-processes.ts'

const reader = createIsolatedReader(systemClock)
after(() => reader.close())
const MB = 1024 * 1024
const never = new AbortController().signal

const document = (filename: string, bytes: string | Uint8Array, mediaType = typeByName(filename)) => ({
  filename,
  mediaType,
  bytes: Buffer.from(bytes),
})
const pagesOf = async (...given: Parameters<typeof document>) =>
  (await reader.readText(document(...given), never)).pages

const isKind = (kind: DocumentErrorKind) => (error: unknown) => {
  assert.ok(error instanceof DocumentError, String(error))
  assert.equal(error.kind, kind, error.message)
  return true
}

test('plain text is read in the encoding it is written in', async () => {
  assert.deepEqual(await pagesOf('a.txt', 'naïve ☃'), ['naïve ☃'])
  assert.deepEqual(await pagesOf('a.md', '# Title'), ['# Title'])
  assert.deepEqual(await pagesOf('a.ts', 'const x = 1'), ['const x = 1'])
  assert.deepEqual(await pagesOf('a.json', '{"a":1}'), ['{"a":1}'])
  assert.deepEqual(await pagesOf('a.csv', Buffer.from('a,b\n\xe4,1', 'latin1')), ['a,b\nä,1'])
  assert.deepEqual(await pagesOf('a.txt', Buffer.from('\ufeffhi', 'utf16le')), ['hi'])
  assert.deepEqual(await pagesOf('a.txt', Buffer.from('\ufeffhi', 'utf8')), ['hi'])
})

test('of what is no text nothing is made up', async () => {
  await assert.rejects(pagesOf('a.txt', Buffer.from([1, 0, 2, 0])), isKind('malformed'))
  await assert.rejects(pagesOf('a.png', 'x'), isKind('unsupported'))
  await assert.rejects(pagesOf('a.bin', 'x'), isKind('unsupported'))
  assert.ok(!reader.claims(document('a.zip', '')))
  assert.ok(reader.claims(document('a.pdf', '')) && reader.claims(document('a.py', '')))
})

test('a PDF is read page by page (req 179)', async () => {
  const pdf = makePdf(['The heron nests in March.', 'It feeds (mostly) on fish \\ frogs.'])
  const pages = ['The heron nests in March.', 'It feeds (mostly) on fish \\ frogs.']
  assert.deepEqual(await pagesOf('a.pdf', pdf), pages)
  assert.deepEqual(await pagesOf('named-otherwise', pdf, 'application/pdf'), pages)
  assert.deepEqual(await pagesOf('A.PDF', pdf, 'application/octet-stream'), pages)
})

test('what is filled into a form is read with its page', async () => {
  assert.deepEqual(await pagesOf('form.pdf', makeForm('The heron')), ['Filled in:\nname: The heron'])
  assert.deepEqual(await pagesOf('form.pdf', makeForm('', { ticked: 'Yes' })), ['Filled in:\nI agree: Yes'])
  await assert.rejects(pagesOf('form.pdf', makeForm('')), isKind('empty'))
})

test('HTML is read block by block, without what no reader sees (req 179)', async () => {
  const html = `<!doctype html><html><head><title>Birds</title><style>p { }</style></head><body>
    <script>alert(1)</script><nav>Home</nav><h1>Herons</h1><p>They   nest in <b>March</b>.</p>
    <table><tr><td>1</td><td>2</td></tr></table>${'<div>'.repeat(5_000)}deep</body></html>`
  assert.deepEqual(await pagesOf('a.html', html), ['Birds\nHome\nHerons\nThey nest in March.\n| 1 | 2\ndeep'])
  const latin = Buffer.from('<meta charset="iso-8859-1"><p>Stra\xdfe</p>', 'latin1')
  assert.deepEqual(await pagesOf('a.html', latin), ['Straße'])
})

test('what is damaged, empty or locked is told by what is wrong', async () => {
  await assert.rejects(pagesOf('a.pdf', 'this is no PDF'), isKind('malformed'))
  await assert.rejects(pagesOf('a.pdf', ''), isKind('malformed'))
  await assert.rejects(pagesOf('a.pdf', makePdf([''])), isKind('empty'))
  await assert.rejects(pagesOf('a.html', '<script>x</script>'), isKind('empty'))
  const locked = makePdf(['x'])
    .toString('latin1')
    .replace(
      '/Root 1 0 R',
      `/Root 1 0 R /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <${'ab'.repeat(32)}> /U <${'cd'.repeat(32)}> >>`,
    )
  await assert.rejects(pagesOf('a.pdf', Buffer.from(locked, 'latin1')), isKind('encrypted'))
})

test('a text that is too long is refused, not cut', async () => {
  const small = createIsolatedReader(systemClock, { ...DOCUMENT_LIMITS, chars: 10 })
  for (const [name, content] of [
    ['a.txt', 'x'.repeat(11)],
    ['a.html', `<p>${'x'.repeat(11)}`],
  ] as const) {
    await assert.rejects(small.readText(document(name, content), never), isKind('too-large'))
  }
  await small.close()
})

test('a document that keeps its reader busy is left after its time, and the next one is read', async () => {
  const hasty = createIsolatedReader(systemClock, { ...DOCUMENT_LIMITS, timeMs: 20 })
  await assert.rejects(hasty.readText(document('a.pdf', makePdf(['x'])), never), isKind('too-large'))
  await hasty.close()
  assert.deepEqual(await pagesOf('a.pdf', makePdf(['next'])), ['next'])
})

test('a document that takes too much memory ends its reader and nothing else', async () => {
  const small = createIsolatedReader(systemClock, { ...DOCUMENT_LIMITS, memoryBytes: 1024 })
  await assert.rejects(small.readText(document('a.pdf', makePdf(['x'.repeat(1_000)])), never), isKind('too-large'))
  await small.close()
})

test('whoever waited may leave, and more than wait are turned away', async () => {
  const narrow = createIsolatedReader(systemClock, { ...DOCUMENT_LIMITS, running: 1, waiting: 1 })
  const abort = new AbortController()
  const read = (text: string, signal = never) => narrow.readText(document('a.pdf', makePdf([text])), signal)
  const [first, second, third] = [read('1'), read('2', abort.signal), read('3')]
  await assert.rejects(third, isKind('busy'))
  abort.abort(new Error('left'))
  await assert.rejects(second, /left/)
  assert.deepEqual((await first).pages, ['1'])
  await narrow.close()
})

test('the same content is read once', async () => {
  const pdf = makePdf(['once '.repeat(100)])
  await pagesOf('a.pdf', pdf)
  const started = performance.now()
  await pagesOf('b.pdf', pdf)
  assert.ok(performance.now() - started < 20, 'no process was started')
})

const drawnAs = async (pages: number, side: number, pdf: Buffer) =>
  (await reader.drawPages(document('a.pdf', pdf), { pages, side }, never)).map(({ page, bytes }) => ({
    page,
    ...decode(bytes, { useTArray: true }),
  }))
/** Of 255, at a place in pixels. */
const grey = ({ width, data }: { width: number; data: Uint8Array }, x: number, y: number) => data[(y * width + x) * 4]

test('pages are drawn in their order, as wide and as high as was asked', async () => {
  const [first, second, ...more] = await drawnAs(2, 792, makeScan(3))
  assert.ok(first && second && more.length === 0)
  for (const [at, image] of [first, second].entries()) {
    assert.deepEqual([image.page, image.width, image.height], [at + 1, 612, 792])
    const lowerLeft = grey(image, 100, 700)
    assert.ok(lowerLeft !== undefined && lowerLeft < 16, `black where the square is: ${lowerLeft}`)
    assert.equal(grey(image, 500, 100), 255, 'and white elsewhere')
  }
  const [small] = await drawnAs(5, 99, makeScan(1))
  assert.deepEqual([small?.width, small?.height], [77, 99])
})

test('letters and what is filled into a form are drawn', async () => {
  const dark = ({ data }: { data: Uint8Array }) => data.filter((value, at) => at % 4 === 0 && value < 128).length
  const [empty] = await drawnAs(1, 792, makePdf(['']))
  const [letters] = await drawnAs(1, 792, makePdf(['The heron nests in March.']))
  const [form] = await drawnAs(1, 792, makeForm('The heron nests in March.'))
  assert.ok(empty && letters && form)
  assert.equal(dark(empty), 0)
  assert.ok(dark(letters) > 200, String(dark(letters)))
  assert.ok(dark(form) > 200, String(dark(form)))
})

test('many full pages take hardly more memory than one', async (t) => {
  const full = Array(45).fill('The heron nests in March, and feeds on fish and frogs.').join('\n')
  const pdf = document('long.pdf', makePdf(Array(40).fill(full)))
  const watch = watchChildren(process.pid)
  const images = await reader.drawPages(pdf, { pages: 40, side: 1_536 }, never)
  const peak = watch.stop()
  t.diagnostic(`${Math.round(peak / MB)} MB`)
  assert.equal(images.length, 40)
  assert.ok(peak < 300 * MB, `${peak / MB} MB`)
})

test('pictures that are too much together are left out, and what has no pages is refused', async () => {
  const narrow = createIsolatedReader(systemClock, { ...DOCUMENT_LIMITS, imageBytes: 20_000 })
  const drawing = { pages: 9, side: 792 }
  const images = await narrow.drawPages(document('a.pdf', makeScan(9)), drawing, never)
  assert.ok(images.length > 0 && images.length < 9, String(images.length))
  assert.ok(reader.draws(document('a.pdf', '')) && !reader.draws(document('a.html', '')))
  await assert.rejects(narrow.drawPages(document('a.html', '<p>x'), drawing, never), isKind('unsupported'))
  await assert.rejects(narrow.drawPages(document('a.pdf', 'x'), drawing, never), isKind('malformed'))
  await narrow.close()
})

test('a document of 200 pages is read in time', async (t) => {
  const pages = Array.from({ length: 200 }, (_, at) =>
    [`Page ${at}`, ...Array(40).fill('The heron nests in March, and feeds on fish and frogs.')].join('\n'),
  )
  const started = performance.now()
  assert.deepEqual(await pagesOf('long.pdf', makePdf(pages)), pages)
  t.diagnostic(`${Math.round(performance.now() - started)} ms`)
})
