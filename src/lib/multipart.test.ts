import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { boundaryOf, MultipartError, parseMultipart } from './multipart.ts'

const LIMITS = { headBytes: 2_000, parts: 10 }

type Read = { name: string; filename: string | null; contentType: string; content: Buffer }

/** The bytes in pieces of these sizes, over and over. */
async function* pieces(bytes: Buffer, sizes: readonly number[]) {
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1
    yield bytes.subarray(at, at + size)
    at += size
  }
}

async function parse(body: Buffer | string, boundary: string, sizes: readonly number[] = [7]): Promise<Read[]> {
  const read: Read[] = []
  for await (const { content, ...head } of parseMultipart(pieces(Buffer.from(body), sizes), boundary, LIMITS)) {
    const chunks: Buffer[] = []
    for await (const chunk of content) chunks.push(chunk)
    read.push({ ...head, content: Buffer.concat(chunks) })
  }
  return read
}

const part = (head: string, content = 'x') => `--b\r\n${head}\r\n\r\n${content}\r\n`
const FIELD = 'Content-Disposition: form-data; name="a"'

test('what a browser or fetch makes of a form is read back, however its bytes are cut', async () => {
  const entry = fc.record({
    name: fc.string({ minLength: 1, maxLength: 20, unit: 'binary' }).filter((text) => !/[\r\n\0]/.test(text)),
    // An unpaired quote or line end is escaped by percent, so the three escapes themselves cannot be told apart.
    filename: fc
      .option(fc.string({ minLength: 1, maxLength: 30, unit: 'binary' }))
      .filter((text) => text === null || !/%(22|0d|0a)|[\r\n\0\\]/i.test(text)),
    content: fc.uint8Array({ maxLength: 300 }),
  })
  const valid = entry.filter(({ name }) => !/%(22|0d|0a)|\\/i.test(name))
  const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(fc.array(valid, { minLength: 1, maxLength: 5 }), sizes, async (entries, cuts) => {
      const form = new FormData()
      for (const { name, filename, content } of entries) {
        if (filename === null) form.append(name, 'plain')
        else form.append(name, new File([content], filename, { type: 'text/x-test' }))
      }
      const response = new Response(form)
      const body = Buffer.from(await response.arrayBuffer())
      const read = await parse(body, boundaryOf(response.headers.get('content-type') ?? '') ?? '', cuts)
      assert.deepEqual(
        read.map(({ name, filename, content }) => ({ name, filename, content: content.toString('hex') })),
        entries.map(({ name, filename, content }) => ({
          name,
          filename,
          content: Buffer.from(filename === null ? 'plain' : content).toString('hex'),
        })),
      )
    }),
    { numRuns: 200 },
  )
})

test('content that looks like its own boundary is content, whatever the cut', async () => {
  const content = '\r\n--\r\n-\r\n--\r\r\n--a\r\n--B\r\n'
  for (let size = 1; size < 40; size += 1) {
    const [read] = await parse(`${part(FIELD, content)}--b--\r\n`, 'b', [size])
    assert.equal(read?.content.toString(), content)
  }
})

test('a body that was changed anywhere is read or refused, and nothing else happens', async () => {
  const body = Buffer.from(`${part(`${FIELD}; filename="f.txt"`, 'hello')}${part(FIELD, 'y')}--b--\r\n`)
  const change = fc.record({ at: fc.nat({ max: body.length - 1 }), byte: fc.integer({ min: 0, max: 255 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 4 }), fc.nat({ max: body.length }), async (changes, length) => {
      const changed = Buffer.from(body)
      for (const { at, byte } of changes) changed[at] = byte
      await parse(changed.subarray(0, length), 'b').catch((error) => assert.ok(error instanceof MultipartError))
    }),
    { numRuns: 2_000 },
  )
})

test('names are read in every way that senders write them', async () => {
  const names: readonly [header: string, filename: string | null][] = [
    ['filename="a.txt"', 'a.txt'],
    ['filename=a.txt', 'a.txt'],
    ['filename="a;b=c.txt"', 'a;b=c.txt'],
    ['filename="say \\"hi\\".txt"', 'say "hi".txt'],
    ['filename="say %22hi%22.txt"', 'say "hi".txt'],
    ['filename="C:\\dir\\a.txt"', 'C:\\dir\\a.txt'],
    ['filename="naïve ☃.txt"', 'naïve ☃.txt'],
    ['filename="plain.txt"; filename*=UTF-8\'\'na%C3%AFve.txt', 'naïve.txt'],
    ['filename=""', ''],
    ['FileName="a.txt"', 'a.txt'],
  ]
  for (const [header, filename] of names) {
    const [read] = await parse(`${part(`${FIELD}; ${header}`)}--b--`, 'b')
    assert.equal(read?.filename, filename, header)
  }
  const [read] = await parse(`preamble\r\n${part(`${FIELD}\r\ncontent-TYPE:  text/x  `, '')}--b--\r\nepilogue`, 'b')
  assert.deepEqual(read, { name: 'a', filename: null, contentType: 'text/x  ', content: Buffer.alloc(0) })
})

test('what is not understood is refused by what is wrong with it', async () => {
  const wrong: readonly [body: string, why: RegExp][] = [
    ['', /ends before its first boundary/],
    ['hello', /ends before its first boundary/],
    ['--b', /line end after a boundary/],
    ['--b--', /^$/],
    [part(FIELD), /line end after a boundary|ends/],
    [`--b\r\n${FIELD}\r\n\r\nno end`, /middle of a part/],
    [`--b\r\n${FIELD}`, /end of the head/],
    [`--bx\r\n${FIELD}\r\n\r\n\r\n--b--`, /followed by other text/],
    [`${part('X-Other: 1')}--b--`, /no 'Content-Disposition/],
    [`${part('Content-Disposition: attachment; name="a"')}--b--`, /no 'Content-Disposition/],
    [`${part('Content-Disposition: form-data; filename="a"')}--b--`, /no name/],
    [`${part('Content-Disposition: form-data; name="a')}--b--`, /malformed/],
    [`${part(`${FIELD}; name="b"`)}--b--`, /two 'name'/],
    [`${part(`${FIELD}\r\n${FIELD}`)}--b--`, /two headers/],
    [`${part(`${FIELD}\r\nno colon`)}--b--`, /no header/],
    [`${part(`${FIELD}\r\n folded: x`)}--b--`, /no header/],
    [`${part(`${FIELD}\r\nX: a\rb`)}--b--`, /no header/],
    [`${part(`${FIELD}\r\nContent-Transfer-Encoding: base64`)}--b--`, /Content-Transfer-Encoding/],
    [`${part(`${FIELD}; filename*=latin1''x`)}--b--`, /not UTF-8/],
    [`${part(`${FIELD}\r\nX: ${'y'.repeat(3_000)}`)}--b--`, /within 2000 bytes/],
    [`${part(FIELD).repeat(11)}--b--`, /more than 10 parts/],
    [`${part(FIELD)}--b--${'z'.repeat(3_000)}`, /after its last boundary/],
    ['z'.repeat(5_000), /within 2000 bytes/],
  ]
  for (const [body, why] of wrong) {
    if (why.source === '^$') assert.deepEqual(await parse(body, 'b'), [])
    else await assert.rejects(parse(body, 'b'), { name: 'MultipartError', message: why }, body.slice(0, 60))
  }
  const broken = Buffer.concat([
    Buffer.from(`--b\r\n${FIELD}; filename="`),
    Buffer.from([0xff]),
    Buffer.from('"\r\n\r\n'),
  ])
  await assert.rejects(parse(broken, 'b'), /not UTF-8/)
})

test('nothing is pulled before it is asked for', async () => {
  let pulled = 0
  async function* source() {
    yield Buffer.from(`--b\r\n${FIELD}\r\n\r\n`)
    for (; pulled < 1_000; pulled += 1) yield Buffer.alloc(1_000)
    yield Buffer.from('\r\n--b--\r\n')
  }
  for await (const { content } of parseMultipart(source(), 'b', LIMITS)) {
    let taken = 0
    for await (const _ of content) {
      taken += 1
      assert.ok(pulled <= taken + 2)
    }
  }
  assert.equal(pulled, 1_000)
})

test('a boundary is found in every spelling of the header, and a header without one has none', () => {
  const found: readonly [header: string, boundary: string | null][] = [
    ['multipart/form-data; boundary=abc', 'abc'],
    ['Multipart/Form-Data;boundary="a b"', 'a b'],
    ['multipart/form-data; charset=utf-8; boundary=abc; x=y', 'abc'],
    ['multipart/form-data; boundary=', null],
    ['multipart/form-data', null],
    ['multipart/mixed; boundary=abc', null],
    [`multipart/form-data; boundary=${'x'.repeat(71)}`, null],
  ]
  for (const [header, boundary] of found) assert.equal(boundaryOf(header), boundary, header)
})
