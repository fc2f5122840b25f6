/** The few facts of a GGUF file that its list needs, read from its first bytes without loading the model. */
import { type FileHandle, open } from 'node:fs/promises'

export type GgufHeader = {
  readonly architecture: string | null
  /** Tokens; null where the file does not say. */
  readonly contextLength: number | null
  readonly embeddingLength: number | null
  /** It makes embeddings, not text. */
  readonly isEmbedder: boolean
  readonly chatTemplate: string | null
}

export const GGUF_MAGIC = 'GGUF'
const VERSIONS: ReadonlySet<number> = new Set([2, 3])
const CHUNK_BYTES = 1024 * 1024
/** A vocabulary of hundreds of thousands of tokens stays far below. */
const MAX_HEADER_BYTES = 256 * 1024 * 1024
const MAX_ENTRIES = 10_000
const MAX_TEXT_BYTES = 4 * 1024 * 1024

const STRING = 8
const ARRAY = 9
/** Bytes of the values of fixed size, by their kind. */
const SIZES: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 }
const ENCODERS = /bert|^t5encoder$|embed/

/** Throws `RangeError` for what is no GGUF file. */
export async function readGgufHeader(path: string): Promise<GgufHeader> {
  const file = await open(path, 'r')
  try {
    return toHeader(await readMetadata(createReader(file)))
  } finally {
    await file.close()
  }
}

type Metadata = ReadonlyMap<string, string | number>

async function readMetadata(reader: Reader): Promise<Metadata> {
  if ((await reader.take(4)).toString('latin1') !== GGUF_MAGIC) throw new RangeError('it does not begin as a GGUF file')
  if (!VERSIONS.has((await reader.take(4)).readUInt32LE())) throw new RangeError('its version of GGUF is not known')
  await reader.count()
  const entries = await reader.count()
  if (entries > MAX_ENTRIES) throw new RangeError(`its header has ${entries} entries`)
  const found = new Map<string, string | number>()
  for (let entry = 0; entry < entries; entry += 1) {
    const key = await reader.text()
    const value = await readValue(reader, (await reader.take(4)).readUInt32LE())
    if (value !== null) found.set(key, value)
  }
  return found
}

/** Null for what is skipped: lists, and numbers nobody asks for. */
async function readValue(reader: Reader, kind: number): Promise<string | number | null> {
  if (kind === STRING) return reader.text()
  if (kind === ARRAY) {
    await skipList(reader)
    return null
  }
  const bytes = await reader.take(sizeOf(kind))
  if (kind === 4) return bytes.readUInt32LE()
  if (kind === 5) return bytes.readInt32LE()
  if (kind === 10) return Number(bytes.readBigUInt64LE())
  return null
}

async function skipList(reader: Reader): Promise<void> {
  const kind = (await reader.take(4)).readUInt32LE()
  const length = await reader.count()
  if (kind !== STRING) return reader.skip(length * sizeOf(kind))
  for (let at = 0; at < length; at += 1) await reader.skip(await reader.count())
}

function sizeOf(kind: number): number {
  const size = SIZES[kind]
  if (size === undefined) throw new RangeError(`its header has a value of the unknown kind ${kind}`)
  return size
}

function toHeader(found: Metadata): GgufHeader {
  const text = (key: string) => {
    const value = found.get(key)
    return typeof value === 'string' ? value : null
  }
  const architecture = text('general.architecture')
  const number = (key: string) => {
    const value = found.get(`${architecture}.${key}`)
    return typeof value === 'number' && value > 0 ? value : null
  }
  return {
    architecture,
    contextLength: number('context_length'),
    embeddingLength: number('embedding_length'),
    isEmbedder: number('pooling_type') !== null || ENCODERS.test(architecture ?? ''),
    chatTemplate: text('tokenizer.chat_template'),
  }
}

type Reader = ReturnType<typeof createReader>

/** Reads on from the start, a chunk at a time. Invariant: `chunk` begins at `position - offset` of the file. */
function createReader(file: FileHandle) {
  let chunk = Buffer.alloc(0)
  let offset = 0
  let position = 0

  const load = async (bytes: number): Promise<void> => {
    if (position + bytes > MAX_HEADER_BYTES) throw new RangeError('its header is too long')
    const wanted = Buffer.alloc(Math.max(bytes, CHUNK_BYTES))
    const { bytesRead } = await file.read(wanted, 0, wanted.length, position)
    if (bytesRead < bytes) throw new RangeError('it ends within its header')
    chunk = wanted.subarray(0, bytesRead)
    offset = 0
  }
  const take = async (bytes: number): Promise<Buffer> => {
    if (offset + bytes > chunk.length) await load(bytes)
    const taken = chunk.subarray(offset, offset + bytes)
    offset += bytes
    position += bytes
    return taken
  }
  const count = async (): Promise<number> => {
    const value = Number((await take(8)).readBigUInt64LE())
    if (!Number.isSafeInteger(value)) throw new RangeError('its header has an impossible length')
    return value
  }
  return {
    take,
    count,
    async text() {
      const bytes = await count()
      if (bytes > MAX_TEXT_BYTES) throw new RangeError('its header has a text that is too long')
      return (await take(bytes)).toString()
    },
    async skip(bytes: number) {
      if (position + bytes > MAX_HEADER_BYTES) throw new RangeError('its header is too long')
      offset += bytes
      position += bytes
      if (offset > chunk.length) chunk = Buffer.alloc(0)
      if (chunk.length === 0) offset = 0
    },
  }
}
