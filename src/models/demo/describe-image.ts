/** What can be told of a picture without seeing: its kind and size from its header, and the colour of a small PNG. */
import { type ImageFormat, imageFormat, imageSides } from '../../lib/image-format.ts'
import type { ImageInput } from './conversation.ts'
import { pngColour } from './png-colour.ts'
import { readBytes } from './read-file.ts'

export type ImageFacts = {
  readonly kind: string | null
  readonly width: number | null
  readonly height: number | null
  readonly colour: string | null
}

const NOTHING: ImageFacts = { kind: null, width: null, height: null, colour: null }
const KINDS: Readonly<Record<ImageFormat, string>> = { png: 'PNG', gif: 'GIF', jpeg: 'JPEG', webp: 'WebP' }

export function readImage({ url }: ImageInput): ImageFacts {
  const bytes = url?.startsWith('data:') ? readBytes(url) : null
  const format = bytes && imageFormat(bytes)
  if (!format) return NOTHING
  const [width, height] = imageSides(format, bytes) ?? [null, null]
  return { kind: KINDS[format], width, height, colour: format === 'png' ? pngColour(bytes) : null }
}

/** "a red 1x1 PNG image". */
export function describeImage(image: ImageInput): string {
  const { kind, width, height, colour } = readImage(image)
  if (kind === null)
    return image.url?.startsWith('data:') ? 'an image of a kind I do not know' : 'an image I have not loaded'
  const size = width === null ? '' : `${width}x${height} `
  const article = colour && /^[aeiou]/.test(colour) ? 'an' : 'a'
  return `${article} ${colour === null ? '' : `${colour} `}${size}${kind} image`
}
