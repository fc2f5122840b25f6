/** What Gemini reads besides text, by the ending of a name. */
import { mediaTypeOf } from '../upstream/file-data.ts'

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  pdf: 'application/pdf',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  heic: 'image/heic',
  heif: 'image/heif',
  mp3: 'audio/mp3',
  wav: 'audio/wav',
  aac: 'audio/aac',
  aiff: 'audio/aiff',
  flac: 'audio/flac',
  ogg: 'audio/ogg',
  m4a: 'audio/m4a',
  mp4: 'video/mp4',
  mpeg: 'video/mpeg',
  mpg: 'video/mpeg',
  mov: 'video/quicktime',
  webm: 'video/webm',
  avi: 'video/x-msvideo',
}

const UNKNOWN = 'application/octet-stream'

/** Null where neither what the client said nor the name tells it. */
export function knownMediaType(name: string, said: string = UNKNOWN): string | null {
  if (said !== UNKNOWN) return said
  const byName = mediaTypeOf(name)
  if (byName !== UNKNOWN) return byName
  return MEDIA_TYPES[/\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? ''] ?? null
}

export const isMediaType = (type: string): boolean => /^(image|audio|video)\//.test(type) || type === 'application/pdf'
