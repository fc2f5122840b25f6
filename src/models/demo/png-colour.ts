/** The average colour of a small PNG, by name. */
import { inflateSync } from 'node:zlib'

const MAX_PIXELS = 262_144
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }

/** Null where it would take more than a few lines: interlaced, not 8 bits per sample, large, damaged. */
export function pngColour(bytes: Buffer): string | null {
  try {
    const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)]
    const [depth, type, interlace] = [bytes[24], bytes[25] ?? -1, bytes[28]]
    const channels = CHANNELS[type]
    if (depth !== 8 || interlace !== 0 || !channels || width * height > MAX_PIXELS) return null
    const chunks = readChunks(bytes)
    const stride = width * channels
    const raw = inflateSync(chunks.data, { maxOutputLength: (stride + 1) * height })
    const rows = unfilter(raw, { stride, height, channels })
    return nameColour(average(rows, { channels, type, palette: chunks.palette }))
  } catch {
    // A damaged picture has no colour; the answer then names only its size.
    return null
  }
}

function readChunks(bytes: Buffer): { data: Buffer; palette: Buffer } {
  const data: Buffer[] = []
  let palette = Buffer.alloc(0)
  for (let at = 8; at + 8 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at)
    const type = bytes.toString('latin1', at + 4, at + 8)
    const body = bytes.subarray(at + 8, at + 8 + length)
    if (type === 'IDAT') data.push(body)
    if (type === 'PLTE') palette = Buffer.from(body)
    at += length + 12
  }
  return { data: Buffer.concat(data), palette }
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

type Rgb = readonly [number, number, number]

function average(
  pixels: Buffer,
  { channels, type, palette }: { channels: number; type: number; palette: Buffer },
): Rgb {
  const sum: [number, number, number] = [0, 0, 0]
  const count = pixels.length / channels
  for (let at = 0; at < pixels.length; at += channels) {
    for (const index of [0, 1, 2] as const) {
      if (type === 3) sum[index] += palette[(pixels[at] ?? 0) * 3 + index] ?? 0
      else sum[index] += pixels[at + (channels > 2 ? index : 0)] ?? 0
    }
  }
  return [sum[0] / count, sum[1] / count, sum[2] / count]
}

/** A plain colour word from hue and lightness. */
export function nameColour([red, green, blue]: Rgb): string {
  const [max, min] = [Math.max(red, green, blue), Math.min(red, green, blue)]
  if (max < 40) return 'black'
  if (max - min < 30) return max > 220 ? 'white' : 'grey'
  const range = max - min
  const sector =
    max === red
      ? ((green - blue) / range + 6) % 6
      : max === green
        ? (blue - red) / range + 2
        : (red - green) / range + 4
  const hue = sector * 60
  if (hue < 15 || hue >= 345) return 'red'
  if (hue < 45) return max < 160 ? 'brown' : 'orange'
  if (hue < 70) return 'yellow'
  if (hue < 165) return 'green'
  if (hue < 195) return 'cyan'
  if (hue < 255) return 'blue'
  return hue < 290 ? 'purple' : 'pink'
}
