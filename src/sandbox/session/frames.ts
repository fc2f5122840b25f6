/** Frames between the server and a container: two lengths, big-endian, a JSON header, and bytes. */
import { SandboxError } from '../sandbox.ts'

export type Frame = { readonly header: Readonly<Record<string, unknown>>; readonly body: Buffer }

export const MAX_HEADER_BYTES = 65_536
/** The largest body is an image. */
export const MAX_BODY_BYTES = 8 * 1024 * 1024

const LENGTHS = 8

export function encodeFrame(header: object, body: Uint8Array = new Uint8Array()): Buffer {
  const head = Buffer.from(JSON.stringify(header))
  const lengths = Buffer.alloc(LENGTHS)
  lengths.writeUInt32BE(head.byteLength, 0)
  lengths.writeUInt32BE(body.byteLength, 4)
  return Buffer.concat([lengths, head, body])
}

/** Takes bytes as they come, gives frames when they are whole. Throws `SandboxError` for what is none. */
export function createFrameDecoder(): (bytes: Buffer) => readonly Frame[] {
  let pending: Buffer[] = []
  let size = 0
  let wanted = LENGTHS
  return (bytes) => {
    pending.push(bytes)
    size += bytes.byteLength
    if (size < wanted) return []
    let rest = Buffer.concat(pending, size)
    const frames: Frame[] = []
    for (;;) {
      wanted = sizeOf(rest)
      if (rest.byteLength < wanted || rest.byteLength < LENGTHS) break
      frames.push(readFrame(rest.subarray(0, wanted)))
      rest = rest.subarray(wanted)
    }
    pending = [rest]
    size = rest.byteLength
    return frames
  }
}

/** Of the frame that begins here, as far as it can be told. */
function sizeOf(bytes: Buffer): number {
  if (bytes.byteLength < LENGTHS) return LENGTHS
  const [head, body] = [bytes.readUInt32BE(0), bytes.readUInt32BE(4)]
  if (head > MAX_HEADER_BYTES || body > MAX_BODY_BYTES) throw notAFrame()
  return LENGTHS + head + body
}

function readFrame(bytes: Buffer): Frame {
  const bodyAt = LENGTHS + bytes.readUInt32BE(0)
  const header = parse(bytes.toString('utf8', LENGTHS, bodyAt))
  if (typeof header !== 'object' || header === null || Array.isArray(header)) throw notAFrame()
  return { header: { ...header }, body: bytes.subarray(bodyAt) }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw notAFrame()
  }
}

const notAFrame = () => new SandboxError('The container answered with what it never would by itself; it was ended.')
