/**
 * The demo engine: plain pictures by fixed rules, the same for the same prompt, as real PNG files. It needs no key, engine
 * or network, and what it cannot honour it refuses by name.
 */
import { decodePng, encodePng, type Pixels, type Rgba } from '../../../../lib/png.ts'
import { yieldToEventLoop } from '../../../../lib/yield-to-event-loop.ts'
import {
  type Drawing,
  type ImageBytes,
  type ImageEngine,
  ImageError,
  type ImageJob,
  type ImageSettings,
  type SettingRefusal,
} from '../../image-engine.ts'
import { sidesOf } from '../../image-settings.ts'
import { isInside, type Scene, sceneOf } from './scene.ts'

export const DEMO_MAX_PIXELS = 2_097_152
const USUAL_SIDES = [256, 256] as const
/** Drawn before other requests get their turn. */
const ROWS_PER_TURN = 64
/** Samples of a pixel, in each direction: how smooth an edge is. */
const SMOOTHNESS: Readonly<Record<ImageSettings['quality'], number>> = {
  auto: 2,
  low: 1,
  medium: 2,
  high: 3,
  xhigh: 3,
  max: 4,
}

export const createDemoImages = (): ImageEngine => ({
  name: 'demo',
  refusal,
  async *draw(job, signal) {
    const before = readInputs(job)
    const [width, height] =
      sidesOf(job.settings.size) ?? (before ? [before.image.width, before.image.height] : USUAL_SIDES)
    const { quality, background, partial_images: sights } = job.settings
    const scene = sceneOf(job.prompt, background === 'transparent')
    const canvas = { width, height, data: Buffer.alloc(width * height * 4) }
    const picture = async (): Promise<Drawing> => ({
      format: 'png',
      bytes: await encodePng(canvas),
      size: `${width}x${height}`,
      quality: quality === 'auto' ? 'medium' : quality,
      background: background === 'auto' ? 'opaque' : background,
      revisedPrompt: null,
    })
    fill(canvas, scene, before)
    for (let sight = 0; sight <= sights; sight += 1) {
      const rows = [
        Math.floor((height * sight) / (sights + 1)),
        Math.floor((height * (sight + 1)) / (sights + 1)),
      ] as const
      await drawRows(canvas, { scene, before, rows, samples: SMOOTHNESS[quality], signal })
      if (sight < sights) yield await picture()
    }
    return await picture()
  },
})

function refusal({ model, size, quality: _, output_format: format, moderation }: ImageSettings): SettingRefusal | null {
  if (model !== null && model !== 'demo')
    return {
      field: 'model',
      advice:
        "can only be 'demo': no image engine is configured. Leave it out, or see tools.image_generation in the configuration.",
    }
  if (format !== 'png')
    return { field: 'output_format', advice: "can only be 'png': the demo engine writes nothing else." }
  if (moderation !== 'auto')
    return { field: 'moderation', advice: 'cannot be chosen: the demo engine moderates nothing. Leave it out.' }
  const sides = sidesOf(size)
  if (sides === null || sides[0] * sides[1] <= DEMO_MAX_PIXELS) return null
  return { field: 'size', advice: `holds more pixels than the ${DEMO_MAX_PIXELS} that the demo engine draws.` }
}

type Before = {
  readonly image: Pixels
  /** Null: all of it may change. */
  readonly mask: Pixels | null
}

/** Null for a new picture. Of several the first is the ground. Throws `ImageError`. */
function readInputs({ images: [image], mask }: ImageJob): Before | null {
  if (!image) return null
  return { image: pixelsOf(image, 'the image'), mask: mask && pixelsOf(mask, 'the mask') }
}

function pixelsOf({ bytes }: ImageBytes, what: string): Pixels {
  const pixels = decodePng(bytes, DEMO_MAX_PIXELS)
  if (pixels) return pixels
  throw new ImageError(
    'input',
    `the demo engine changes plain PNG files only, of 8 bits and at most ${DEMO_MAX_PIXELS} pixels; ${what} is none`,
  )
}

/** The ground, or what was there before. */
function fill({ width, height, data }: Pixels, { ground }: Scene, before: Before | null): void {
  for (let y = 0, at = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, at += 4)
      data.set(before ? pixelAt(before.image, x / width, y / height) : ground, at)
  }
}

/** `x` and `y` from 0 up to 1. */
function pixelAt({ width, height, data }: Pixels, x: number, y: number): Rgba {
  const at = (Math.floor(y * height) * width + Math.floor(x * width)) * 4
  return [data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0, data[at + 3] ?? 0]
}

type Stroke = {
  readonly scene: Scene
  readonly before: Before | null
  readonly rows: readonly [from: number, to: number]
  readonly samples: number
  readonly signal: AbortSignal
}

async function drawRows(canvas: Pixels, { scene, before, rows: [from, to], samples, signal }: Stroke): Promise<void> {
  const { width, height, data } = canvas
  for (let y = from; y < to; y += 1) {
    if (y % ROWS_PER_TURN === 0) await yieldToEventLoop()
    if (signal.aborted) throw new ImageError('aborted', 'nobody waits for it any more')
    for (let x = 0; x < width; x += 1) {
      if (before?.mask && pixelAt(before.mask, x / width, y / height)[3] !== 0) continue
      const share = shareOf(scene, canvas, { x, y, samples })
      if (share > 0) blend(data, (y * width + x) * 4, scene.colour, share)
    }
    if (y === height - 1) await yieldToEventLoop()
  }
}

/** How much of a pixel the shape covers, from 0 to 1. */
function shareOf(
  { shape }: Scene,
  { width, height }: Pixels,
  { x, y, samples }: { x: number; y: number; samples: number },
): number {
  const half = Math.min(width, height) / 2
  let hits = 0
  for (let row = 0; row < samples; row += 1) {
    for (let column = 0; column < samples; column += 1) {
      const [left, top] = [x + (column + 0.5) / samples, y + (row + 0.5) / samples]
      if (isInside(shape, (left - width / 2) / half, (top - height / 2) / half)) hits += 1
    }
  }
  return hits / (samples * samples)
}

/** Over what is there, which may be transparent. */
function blend(data: Buffer, at: number, colour: Rgba, share: number): void {
  const under = (data[at + 3] ?? 0) / 255
  const alpha = share + under * (1 - share)
  for (const index of [0, 1, 2] as const) {
    const mixed = colour[index] * share + (data[at + index] ?? 0) * under * (1 - share)
    data[at + index] = Math.round(mixed / alpha)
  }
  data[at + 3] = Math.round(alpha * 255)
}
