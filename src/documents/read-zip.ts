/**
 * The files inside of a document that is a ZIP archive, within bounds. What an archive says of sizes is not believed: a
 * file that unpacks to more than it says is malformed.
 */
import { DocumentError } from './extract-text.ts'

export const MAX_ENTRIES = 10_000
export const MAX_BYTES = 200 * 1024 * 1024
/** Of what is large: text rarely packs better, a bomb has to. */
const MAX_RATIO = 200
const RATIO_FROM_BYTES = 4 * 1024 * 1024

export type Archive = ReadonlyMap<string, string>

/** `wanted`: of names; others are not unpacked. Texts are UTF-8. */
export async function readZip(bytes: Uint8Array, wanted: (name: string) => boolean): Promise<Archive> {
  const { unzipSync } = await import('fflate')
  let entries = 0
  let total = 0
  const files = unzipSync(bytes, {
    filter({ name, size, originalSize }) {
      entries += 1
      if (entries > MAX_ENTRIES) throw tooLarge(`it holds more than ${MAX_ENTRIES} files`)
      if (!wanted(name)) return false
      total += originalSize
      if (total > MAX_BYTES) throw tooLarge('it unpacks to more than may be')
      if (originalSize > RATIO_FROM_BYTES && originalSize > size * MAX_RATIO)
        throw tooLarge('it is packed too well to be a document')
      return true
    },
  })
  const decoder = new TextDecoder()
  return new Map(Object.entries(files).map(([name, content]) => [name, decoder.decode(content)]))
}

const tooLarge = (message: string) => new DocumentError('too-large', message)
