/** What a picture is, by its first bytes: nobody else's word counts. */

export type ImageFormat = 'png' | 'webp' | 'jpeg' | 'gif'

/** Null for what is no PNG, JPEG, WebP or GIF. */
export function imageFormat(bytes: Buffer): ImageFormat | null {
  const head = bytes.toString('latin1', 0, 12)
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'png'
  if (head.startsWith('\xff\xd8\xff')) return 'jpeg'
  if (head.startsWith('GIF8')) return 'gif'
  return head.startsWith('RIFF') && head.endsWith('WEBP') ? 'webp' : null
}

export type Sides = readonly [width: number, height: number]

/** Read from the header; null where it is not where it is expected. */
export function imageSides(format: ImageFormat, bytes: Buffer): Sides | null {
  try {
    const [width, height] = READERS[format](bytes)
    return width > 0 && height > 0 ? [width, height] : null
  } catch {
    // It ends before its header does.
    return null
  }
}

const READERS: Readonly<Record<ImageFormat, (bytes: Buffer) => Sides>> = {
  png: (bytes) => [bytes.readUInt32BE(16), bytes.readUInt32BE(20)],
  gif: (bytes) => [bytes.readUInt16LE(6), bytes.readUInt16LE(8)],
  jpeg: jpegSides,
  webp: webpSides,
}

/** In the first "start of frame" segment. */
function jpegSides(bytes: Buffer): Sides {
  for (let at = 2; bytes[at] === 0xff; at += 2 + bytes.readUInt16BE(at + 2)) {
    const marker = bytes[at + 1] ?? 0
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
    if (isFrame) return [bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5)]
  }
  return [0, 0]
}

function webpSides(bytes: Buffer): Sides {
  const chunk = bytes.toString('latin1', 12, 16)
  if (chunk === 'VP8X') return [bytes.readUIntLE(24, 3) + 1, bytes.readUIntLE(27, 3) + 1]
  if (chunk === 'VP8L') {
    const bits = bytes.readUInt32LE(21)
    return [(bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1]
  }
  return [bytes.readUInt16LE(26) & 0x3fff, bytes.readUInt16LE(28) & 0x3fff]
}
