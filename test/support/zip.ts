/** ZIP archives written by hand, because those that a library writes do not lie. */
import { crc32, deflateRawSync } from 'node:zlib'

export type ZipEntry = {
  readonly name: string
  readonly content: Uint8Array | string
  /** As it lies in the archive, where many entries share it; else it is packed here. */
  readonly packed?: Uint8Array
  /** What the archive says of it, where that is not so. */
  readonly saysBytes?: number
  /** It lies where this entry lies. */
  readonly liesAt?: number
}

const LOCAL = 0x04034b50
const CENTRAL = 0x02014b50
const END = 0x06054b50
const VERSION = 20
const DEFLATE = 8

export function writeZip(entries: readonly ZipEntry[]): Buffer {
  const pieces: Buffer[] = []
  const directory: Buffer[] = []
  const offsets: number[] = []
  let at = 0
  for (const entry of entries) {
    const content = Buffer.from(entry.content)
    const packed = entry.packed ?? deflateRawSync(content)
    const name = Buffer.from(entry.name)
    const says = entry.saysBytes ?? content.length
    const head = Buffer.alloc(26)
    head.writeUInt16LE(VERSION, 0)
    head.writeUInt16LE(DEFLATE, 4)
    head.writeUInt32LE(crc32(content), 10)
    head.writeUInt32LE(packed.length, 14)
    head.writeUInt32LE(says, 18)
    head.writeUInt16LE(name.length, 22)
    const offset = entry.liesAt === undefined ? at : (offsets[entry.liesAt] ?? 0)
    offsets.push(offset)
    if (entry.liesAt === undefined) {
      pieces.push(uint32(LOCAL), head, name, Buffer.from(packed))
      at += 4 + head.length + name.length + packed.length
    }
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(offset, 10)
    const version = Buffer.alloc(2)
    version.writeUInt16LE(VERSION)
    directory.push(uint32(CENTRAL), version, head, tail, name)
  }
  const listed = Buffer.concat(directory)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(Math.min(entries.length, 0xffff), 4)
  end.writeUInt16LE(Math.min(entries.length, 0xffff), 6)
  end.writeUInt32LE(listed.length, 8)
  end.writeUInt32LE(at, 12)
  return Buffer.concat([...pieces, listed, uint32(END), end])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** By their names. */
export const zipOf = (files: Readonly<Record<string, string | Uint8Array>>): Buffer =>
  writeZip(Object.entries(files).map(([name, content]) => ({ name, content })))
