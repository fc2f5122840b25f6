/** The average colour of a small PNG, by name. */
import { decodePng } from '../../lib/png.ts'

const MAX_PIXELS = 262_144

/** Null for what is not read: see `decodePng`. */
export function pngColour(bytes: Buffer): string | null {
  const pixels = decodePng(bytes, MAX_PIXELS)
  return pixels && nameColour(average(pixels.data))
}

type Rgb = readonly [number, number, number]

function average(pixels: Buffer): Rgb {
  const sum: [number, number, number] = [0, 0, 0]
  for (let at = 0; at < pixels.length; at += 4) {
    for (const index of [0, 1, 2] as const) sum[index] += pixels[at + index] ?? 0
  }
  const count = pixels.length / 4
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
