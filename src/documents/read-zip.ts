/**
 * The files inside of a document that is a ZIP archive, within bounds. What an archive says of sizes is not believed: a
 * file that unpacks to more or less than it says is malformed, and none is unpacked before it is asked for.
 */
import { inflateRawSync } from 'node:zlib'
import { DocumentError } from './document-reader.ts'

export const MAX_ENTRIES = 10_000
/** Of one file, and of all that are read. */
export const MAX_PART_BYTES = 100 * 1024 * 1024
export const MAX_BYTES = 200 * 1024 * 1024
/** Of what is large: text rarely packs better, a bomb has to. */
const MAX_RATIO = 200
const RATIO_FROM_BYTES = 4 * 1024 * 1024

export interface Archive {
  /** In the order of the archive. */
  readonly names: readonly string[]
  /** As UTF-8. Undefined when it is not there. Throws `DocumentError`. */
  read(name: string): string | undefined
}

type Entry = {
  readonly name: string
  readonly method: number
  readonly packedBytes: number
  readonly bytes: number
  /** Of its local head. */
  readonly offset: number
}

const END = { signature: 0x06054b50, bytes: 22, maxComment: 0xffff } as const
const CENTRAL = { signature: 0x02014b50, bytes: 46 } as const
const LOCAL = { signature: 0x04034b50, bytes: 30 } as const
const STORED = 0
const DEFLATED = 8
/** Stands where a number is larger than its field; then it is in an extra field of this id. */
const ELSEWHERE = 0xffffffff
const ZIP64 = 0x0001

/** `wanted`: of names; others are not there. */
export function openZip(bytes: Uint8Array, wanted: (name: string) => boolean): Archive {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const entries = new Map<string, Entry>()
  let total = 0
  for (const entry of entriesOf(view)) {
    if (!wanted(entry.name)) continue
    total += entry.bytes
    if (total > MAX_BYTES || entry.bytes > MAX_PART_BYTES) throw tooLarge('it unpacks to more than may be')
    if (entry.bytes > RATIO_FROM_BYTES && entry.bytes > entry.packedBytes * MAX_RATIO)
      throw tooLarge('it is packed too well to be a document')
    entries.set(entry.name, entry)
  }
  const decoder = new TextDecoder()
  return {
    names: [...entries.keys()],
    read(name) {
      const entry = entries.get(name)
      return entry && decoder.decode(unpack(view, entry))
    },
  }
}

function* entriesOf(view: Buffer): Generator<Entry, void, undefined> {
  const end = findEnd(view)
  const count = view.readUInt16LE(end + 10)
  if (count > MAX_ENTRIES) throw tooLarge(`it holds more than ${MAX_ENTRIES} files`)
  let at = view.readUInt32LE(end + 16)
  for (let index = 0; index < count; index++) {
    if (at + CENTRAL.bytes > view.length || view.readUInt32LE(at) !== CENTRAL.signature) throw broken()
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => view.readUInt16LE(at + field))
    const nameEnd = at + CENTRAL.bytes + (nameBytes ?? 0)
    const extraEnd = nameEnd + (extraBytes ?? 0)
    yield toEntry(view, at, nameEnd, view.subarray(nameEnd, extraEnd))
    at = extraEnd + (commentBytes ?? 0)
  }
}

/** At the very end, behind it only a comment. */
function findEnd(view: Buffer): number {
  const first = Math.max(0, view.length - END.bytes - END.maxComment)
  for (let at = view.length - END.bytes; at >= first; at--) if (view.readUInt32LE(at) === END.signature) return at
  throw broken()
}

function toEntry(view: Buffer, at: number, nameEnd: number, extra: Buffer): Entry {
  const longer = zip64Of(extra)
  const field = (offset: number) => {
    const value = view.readUInt32LE(at + offset)
    return value === ELSEWHERE ? longer() : value
  }
  const name = view.toString('utf8', at + CENTRAL.bytes, nameEnd)
  // The long numbers stand in this order, each only where its field says so.
  const bytes = field(24)
  const packedBytes = field(20)
  return { name, method: view.readUInt16LE(at + 10), bytes, packedBytes, offset: field(42) }
}

/** The numbers of the extra field, one after the other; larger than any limit where there is none. */
function zip64Of(extra: Buffer): () => number {
  let numbers: Buffer = Buffer.alloc(0)
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2))
    if (extra.readUInt16LE(at) === ZIP64) numbers = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2))
  let next = 0
  return () => {
    next += 8
    return next <= numbers.length ? Number(numbers.readBigUInt64LE(next - 8)) : Number.MAX_SAFE_INTEGER
  }
}

function unpack(view: Buffer, { method, packedBytes, bytes, offset }: Entry): Uint8Array {
  if (offset + LOCAL.bytes > view.length || view.readUInt32LE(offset) !== LOCAL.signature) throw broken()
  const start = offset + LOCAL.bytes + view.readUInt16LE(offset + 26) + view.readUInt16LE(offset + 28)
  if (start + packedBytes > view.length) throw broken()
  const packed = view.subarray(start, start + packedBytes)
  if (method !== STORED && method !== DEFLATED) throw new DocumentError('malformed', 'it is packed in an unknown way')
  const content = method === STORED ? packed : inflate(packed, bytes)
  if (content.length !== bytes) throw lying()
  return content
}

function inflate(packed: Buffer, bytes: number): Uint8Array {
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, bytes) })
  } catch (error) {
    throw error instanceof RangeError ? lying() : broken()
  }
}

const tooLarge = (message: string) => new DocumentError('too-large', message)
const broken = () => new DocumentError('malformed', 'its archive is damaged, or none')
const lying = () => new DocumentError('malformed', 'a file in it has another size than it says')
