/** PNG pictures as pixels, both ways: 8 bits a sample, not interlaced. */
import { crc32, deflate, inflateSync } from 'node:zlib'

export type Rgba = readonly [red: number, green: number, blue: number, alpha: number]

export type Pixels = {
  readonly width: number
  readonly height: number
  /** Four bytes a pixel: red, green, blue, alpha. */
  readonly data: Buffer
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
const PALETTE = 3
/** By the colour type; those of even number have an alpha behind them. */
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }

export const isPng = (bytes: Uint8Array): boolean => SIGNATURE.equals(bytes.subarray(0, SIGNATURE.length))

/** Null where it would take more than a few lines: interlaced, not 8 bits a sample, of too many pixels, damaged. */
export function decodePng(bytes: Buffer, maxPixels: number): Pixels | null {
  try {
    const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)]
    const [depth, type, interlace] = [bytes[24], bytes[25] ?? -1, bytes[28]]
    const channels = CHANNELS[type]
    const isKnown = isPng(bytes) && depth === 8 && interlace === 0 && width > 0 && height > 0
    if (!isKnown || !channels || width * height > maxPixels) return null
    const { data, palette, alphas } = readChunks(bytes)
    const stride = width * channels
    const raw = inflateSync(data, { maxOutputLength: (stride + 1) * height })
    const samples = unfilter(raw, { stride, height, channels })
    return { width, height, data: toRgba(samples, { type, channels, palette, alphas }) }
  } catch {
    // A damaged picture has no pixels.
    return null
  }
}

function readChunks(bytes: Buffer): { data: Buffer; palette: Buffer; alphas: Buffer } {
  const data: Buffer[] = []
  let [palette, alphas] = [Buffer.alloc(0), Buffer.alloc(0)]
  for (let at = 8; at + 8 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at)
    const type = bytes.toString('latin1', at + 4, at + 8)
    const body = Buffer.from(bytes.subarray(at + 8, at + 8 + length))
    if (type === 'IDAT') data.push(body)
    if (type === 'PLTE') palette = body
    if (type === 'tRNS') alphas = body
    at += length + 12
  }
  return { data: Buffer.concat(data), palette, alphas }
}

type Layout = { readonly stride: number; readonly height: number; readonly channels: number }

/** Undoes the five row filters of PNG. */
function unfilter(raw: Buffer, { stride, height, channels }: Layout): Buffer {
  const out = Buffer.alloc(stride * height)
  for (let row = 0; row < height; row++) {
    const filter = raw[row * (stride + 1)] ?? 0
    for (let x = 0; x < stride; x++) {
      const at = row * stride + x
      const left = x >= channels ? (out[at - channels] ?? 0) : 0
      const up = row > 0 ? (out[at - stride] ?? 0) : 0
      const corner = row > 0 && x >= channels ? (out[at - stride - channels] ?? 0) : 0
      const value = raw[row * (stride + 1) + 1 + x] ?? 0
      out[at] = value + predict(filter, { left, up, corner })
    }
  }
  return out
}

function predict(filter: number, { left, up, corner }: { left: number; up: number; corner: number }): number {
  if (filter === 1) return left
  if (filter === 2) return up
  if (filter === 3) return (left + up) >> 1
  if (filter === 0) return 0
  if (filter !== 4) throw new RangeError(`unknown row filter ${filter}`)
  const estimate = left + up - corner
  const [a, b, c] = [Math.abs(estimate - left), Math.abs(estimate - up), Math.abs(estimate - corner)]
  return a <= b && a <= c ? left : b <= c ? up : corner
}

type Colours = {
  readonly type: number
  readonly channels: number
  readonly palette: Buffer
  /** Of the palette's colours, the first of them. */
  readonly alphas: Buffer
}

function toRgba(samples: Buffer, { type, channels, palette, alphas }: Colours): Buffer {
  const data = Buffer.alloc((samples.length / channels) * 4, 255)
  for (let from = 0, to = 0; from < samples.length; from += channels, to += 4) {
    const first = samples[from] ?? 0
    for (const colour of [0, 1, 2]) {
      const sample = channels > 2 ? (samples[from + colour] ?? 0) : first
      data[to + colour] = type === PALETTE ? (palette[first * 3 + colour] ?? 0) : sample
    }
    if (type === PALETTE) data[to + 3] = alphas[first] ?? 255
    else if (channels % 2 === 0) data[to + 3] = samples[from + channels - 1] ?? 255
  }
  return data
}

/** Rows are not filtered: plain pictures pack well all the same. */
export async function encodePng({ width, height, data }: Pixels): Promise<Buffer> {
  const hasAlpha = isTranslucent(data)
  const channels = hasAlpha ? 4 : 3
  const raw = Buffer.alloc((width * channels + 1) * height)
  for (let row = 0, to = 0; row < height; row++) {
    to += 1
    for (let x = 0; x < width; x++, to += channels) {
      const from = (row * width + x) * 4
      data.copy(raw, to, from, from + channels)
    }
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([8, hasAlpha ? 6 : 2, 0, 0, 0], 8)
  const packed = await deflated(raw)
  return Buffer.concat([SIGNATURE, chunk('IHDR', head), chunk('IDAT', packed), chunk('IEND', Buffer.alloc(0))])
}

function isTranslucent(data: Buffer): boolean {
  for (let at = 3; at < data.length; at += 4) if (data[at] !== 255) return true
  return false
}

/** In a thread of the pool. */
const deflated = (raw: Buffer): Promise<Buffer> =>
  new Promise((resolve, reject) => deflate(raw, (error, packed) => (error ? reject(error) : resolve(packed))))

function chunk(type: string, body: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), body])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length)
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(named))
  return Buffer.concat([length, named, sum])
}
