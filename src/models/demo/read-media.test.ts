import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateSync } from 'node:zlib'
import { describeImage, readImage } from './describe-image.ts'
import { nameColour } from './png-colour.ts'
import { readBytes, readFileText } from './read-file.ts'

const dataUrl = (kind: string, bytes: Buffer) => `data:image/${kind};base64,${bytes.toString('base64')}`
const image = (url: string | null) => ({ url, detail: null })

/** Chunks without checksums: nobody here reads them. */
function png(width: number, height: number, rows: readonly number[], type = 2): Buffer {
  const chunk = (name: string, data: Buffer) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(data.length)
    return Buffer.concat([length, Buffer.from(name, 'latin1'), data, Buffer.alloc(4)])
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, type, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.from(rows))),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

test('the kind and size of a picture are read from its bytes', () => {
  const gif = Buffer.from('474946383961030002000000', 'hex')
  const jpeg = Buffer.from('ffd8ffe000104a46494600010100000100010000ffc0001108000a001403012200', 'hex')
  const webp = Buffer.concat([
    Buffer.from('RIFF....WEBPVP8X', 'latin1'),
    Buffer.from('0a00000010000000630000310000', 'hex'),
  ])
  assert.equal(describeImage(image(dataUrl('gif', gif))), 'a 3x2 GIF image')
  assert.equal(describeImage(image(dataUrl('jpeg', jpeg))), 'a 20x10 JPEG image')
  assert.equal(describeImage(image(dataUrl('webp', webp))), 'a 100x50 WebP image')
  assert.match(describeImage(image(dataUrl('png', Buffer.from('no picture')))), /do not know/)
  assert.match(describeImage(image(null)), /not loaded/)
})

test('a small PNG has its average colour, through every row filter', () => {
  const rows = [
    0, 255, 0, 0, 255, 0, 0, 1, 255, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 3, 128, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0,
  ]
  const facts = readImage(image(dataUrl('png', png(2, 5, rows))))
  assert.deepEqual([facts.width, facts.height, facts.colour], [2, 5, 'red'])
  assert.equal(readImage(image(dataUrl('png', png(1, 1, [0, 0, 0, 255, 255], 6)))).colour, 'blue')
  assert.equal(readImage(image(dataUrl('png', png(1, 1, [9])))).colour, null)
  assert.equal(readImage(image(dataUrl('png', png(60_000, 60_000, [0])))).colour, null)
})

test('colours have their usual names', () => {
  for (const [rgb, name] of [
    [[255, 255, 255], 'white'],
    [[0, 0, 0], 'black'],
    [[128, 128, 128], 'grey'],
    [[0, 200, 0], 'green'],
    [[255, 255, 0], 'yellow'],
    [[255, 140, 0], 'orange'],
    [[120, 0, 200], 'purple'],
    [[255, 0, 160], 'pink'],
    [[0, 230, 230], 'cyan'],
  ] as const) {
    assert.equal(nameColour(rgb), name)
  }
})

test('files give text when they are text', () => {
  assert.equal(readFileText(Buffer.from('héllo').toString('base64')), 'héllo')
  assert.equal(readFileText('data:text/plain,h%C3%A9llo'), 'héllo')
  assert.equal(readFileText(Buffer.from([0, 1, 2]).toString('base64')), null)
  assert.equal(readFileText(Buffer.from('%PDF-1.4\nletters alone').toString('base64')), null)
  assert.equal(readFileText(Buffer.from([0xff, 0xfe, 0x80, 0x81]).toString('base64')), null)
  assert.equal(readBytes('data:text/plain;base64'), null)
})
