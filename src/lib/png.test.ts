import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import { decodePng, encodePng, isPng } from './png.ts'

const MAX = 4096

test('every picture is read back as it was written', async () => {
  const sides = fc.integer({ min: 1, max: 12 })
  const pictures = fc.tuple(sides, sides, fc.boolean()).chain(([width, height, isOpaque]) =>
    fc.uint8Array({ minLength: width * height * 4, maxLength: width * height * 4 }).map((bytes) => {
      const data = Buffer.from(bytes)
      if (isOpaque) for (let at = 3; at < data.length; at += 4) data[at] = 255
      return { width, height, data }
    }),
  )
  await fc.assert(
    fc.asyncProperty(pictures, async (picture) => {
      const png = await encodePng(picture)
      assert.ok(isPng(png))
      assert.deepEqual(decodePng(png, MAX), picture)
    }),
  )
})

test('what is cut, changed or too large is null and never thrown', async () => {
  const png = await encodePng({ width: 8, height: 8, data: Buffer.alloc(256, 255) })
  assert.equal(decodePng(png, 63), null)
  for (let length = 0; length < png.length - 16; length += 1)
    assert.equal(decodePng(png.subarray(0, length), MAX), null)
  fc.assert(
    fc.property(fc.integer({ min: 0, max: png.length - 1 }), fc.integer({ min: 0, max: 255 }), (at, value) => {
      const changed = Buffer.from(png)
      changed[at] = value
      decodePng(changed, MAX)
    }),
  )
})

test('a palette and its alphas are looked up, and grey becomes colour', () => {
  const chunk = (type: string, body: number[] | Buffer) => {
    const head = Buffer.alloc(8)
    head.writeUInt32BE(body.length)
    head.write(type, 4, 'latin1')
    return Buffer.concat([head, Buffer.from(body), Buffer.alloc(4)])
  }
  const file = (type: number, rows: number[], ...more: Buffer[]) =>
    Buffer.concat([
      Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
      chunk('IHDR', [0, 0, 0, 2, 0, 0, 0, 1, 8, type, 0, 0, 0]),
      ...more,
      chunk('IDAT', deflateSync(Buffer.from(rows))),
    ])
  const palette = file(3, [0, 1, 0], chunk('PLTE', [1, 2, 3, 4, 5, 6]), chunk('tRNS', [7]))
  assert.deepEqual([...(decodePng(palette, MAX)?.data ?? [])], [4, 5, 6, 255, 1, 2, 3, 7])
  assert.deepEqual([...(decodePng(file(0, [0, 9, 8]), MAX)?.data ?? [])], [9, 9, 9, 255, 8, 8, 8, 255])
  assert.deepEqual([...(decodePng(file(4, [0, 9, 1, 8, 2]), MAX)?.data ?? [])], [9, 9, 9, 1, 8, 8, 8, 2])
})
