/** What a run says, put together: text that can be stored, and pictures that are pictures. */
import type { OutputPiece } from './sandbox.ts'

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

export function collectOutput() {
  const pieces = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] }
  const images: Uint8Array[] = []
  return {
    images,
    add({ type, bytes }: OutputPiece): void {
      if (type !== 'image') pieces[type].push(bytes)
      else if (PNG.equals(bytes.subarray(0, PNG.length))) images.push(bytes)
    },
    texts: () => ({ stdout: toText(pieces.stdout), stderr: toText(pieces.stderr) }),
  }
}

/** NUL cannot be stored; half a character at the cut is left out. */
const toText = (pieces: readonly Uint8Array[]): string =>
  new TextDecoder('utf-8')
    .decode(Buffer.concat(pieces))
    .replaceAll('\0', '\uFFFD')
    .replace(/\uFFFD+$/, '')
