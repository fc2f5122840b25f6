import assert from 'node:assert/strict'
import { test } from 'node:test'
import zlib from 'node:zlib'
import { DecodeBodyError, decodeBody } from './decode-body.ts'

const TEXT = Buffer.from(JSON.stringify({ input: 'héllo wörld '.repeat(200) }))
const LIMIT = 1024 * 1024
const encoded: Readonly<Record<string, Buffer>> = {
  zstd: zlib.zstdCompressSync(TEXT),
  gzip: zlib.gzipSync(TEXT),
  br: zlib.brotliCompressSync(TEXT),
  deflate: zlib.deflateSync(TEXT),
}
const ofKind = (kind: DecodeBodyError['kind']) => (error: unknown) =>
  error instanceof DecodeBodyError && error.kind === kind

test('a body without an encoding, or with identity, is passed through', async () => {
  for (const header of [undefined, '', 'identity', 'Identity, ']) {
    assert.equal(await decodeBody(TEXT, header, LIMIT), TEXT)
  }
})

for (const [name, body] of Object.entries(encoded)) {
  test(`${name} is decoded, whatever the case of its name`, async () => {
    assert.deepEqual(await decodeBody(body, name, LIMIT), TEXT)
    assert.deepEqual(await decodeBody(body, ` ${name.toUpperCase()} `, LIMIT), TEXT)
  })

  test(`${name} cut at any byte, followed by junk, or empty, is corrupt`, async () => {
    for (let end = 0; end < body.length; end += Math.ceil(body.length / 16)) {
      await assert.rejects(decodeBody(body.subarray(0, end), name, LIMIT), ofKind('corrupt'), `cut at ${end}`)
    }
    const junk = Buffer.concat([body, Buffer.from('{"more":1}')])
    await assert.rejects(decodeBody(junk, name, LIMIT), ofKind('corrupt'))
    await assert.rejects(decodeBody(Buffer.from('plain text, not compressed'), name, LIMIT), ofKind('corrupt'))
  })

  test(`${name} that decodes to exactly the limit passes, one byte more is too large`, async () => {
    assert.equal((await decodeBody(body, name, TEXT.length)).length, TEXT.length)
    await assert.rejects(decodeBody(body, name, TEXT.length - 1), ofKind('too-large'))
  })
}

test('deflate without the zlib wrapper is understood too', async () => {
  assert.deepEqual(await decodeBody(zlib.deflateRawSync(TEXT), 'deflate', LIMIT), TEXT)
})

test('two stacked encodings are undone in reverse order, three are refused', async () => {
  const stacked = zlib.brotliCompressSync(zlib.gzipSync(TEXT))
  assert.deepEqual(await decodeBody(stacked, 'gzip, br', LIMIT), TEXT)
  await assert.rejects(decodeBody(stacked, 'gzip, gzip, br', LIMIT), ofKind('unsupported'))
})

test('an unknown encoding is unsupported', async () => {
  for (const header of ['compress', 'gzip, lzma', 'aes128gcm', 'constructor']) {
    await assert.rejects(decodeBody(TEXT, header, LIMIT), ofKind('unsupported'), header)
  }
})

test('several zstd frames and several gzip members make one body', async () => {
  const [head, tail] = [TEXT.subarray(0, 100), TEXT.subarray(100)]
  const frames = Buffer.concat([zlib.zstdCompressSync(head), zlib.zstdCompressSync(tail)])
  assert.deepEqual(await decodeBody(frames, 'zstd', TEXT.length), TEXT)
  await assert.rejects(decodeBody(frames, 'zstd', TEXT.length - 1), ofKind('too-large'))
  const members = Buffer.concat([zlib.gzipSync(head), zlib.gzipSync(tail)])
  assert.deepEqual(await decodeBody(members, 'gzip', TEXT.length), TEXT)
})

test('a bomb is stopped at the limit', async () => {
  const zeros = Buffer.alloc(64 * 1024 * 1024)
  const bombs = { zstd: zlib.zstdCompressSync(zeros), gzip: zlib.gzipSync(zeros, { level: 1 }) }
  for (const [name, bomb] of Object.entries(bombs)) {
    await assert.rejects(decodeBody(bomb, name, LIMIT), ofKind('too-large'), name)
  }
  const nested = zlib.gzipSync(bombs.gzip)
  await assert.rejects(decodeBody(nested, 'gzip, gzip', LIMIT), ofKind('too-large'))
})
