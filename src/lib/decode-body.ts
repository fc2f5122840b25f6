/**
 * Undoes the `Content-Encoding` of a request body, with a bound on what may come out: a few kilobytes of brotli can
 * stand for gigabytes. Decoding runs in the thread pool.
 *
 * Invariant: a body is decoded whole or refused. Input that ends early, and bytes after its end, are `corrupt`, because
 * what is left of such a body would be read as if the client had meant it.
 */
import zlib from 'node:zlib'

/** Encodings may be stacked (`gzip, br`); more than this is refused. */
const MAX_ENCODINGS = 2
/** A zstd frame may ask for a window of 2^this bytes: 32 MiB, the size of the largest body. */
const ZSTD_WINDOW_LOG_MAX = 25
const ZSTD_OPTIONS = { params: { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX } }
/** Frames of one zstd body. */
const MAX_ZSTD_FRAMES = 1_024
const CHUNK_BYTES = 64 * 1024
const SUPPORTED_ENCODINGS = ['zstd', 'gzip', 'br', 'deflate'] as const

export class DecodeBodyError extends Error {
  override readonly name = 'DecodeBodyError'
  /** `unsupported`: an unknown name or too many; `too-large`: over the bound; `corrupt`: not what it claims to be. */
  readonly kind: 'unsupported' | 'too-large' | 'corrupt'
  constructor(kind: DecodeBodyError['kind'], message: string, cause?: unknown) {
    super(message, { cause })
    this.kind = kind
  }
}

/**
 * `contentEncoding`: the raw header, undefined when absent. `maxBytes` bounds the result of each step. Throws
 * `DecodeBodyError`.
 */
export async function decodeBody(body: Buffer, contentEncoding: string | undefined, maxBytes: number): Promise<Buffer> {
  const encodings = parseEncodings(contentEncoding)
  let decoded = body
  for (const encoding of encodings.toReversed()) decoded = await decodeOne(decoded, encoding, maxBytes)
  return decoded
}

type Encoding = (typeof SUPPORTED_ENCODINGS)[number]
function parseEncodings(header: string | undefined): readonly Encoding[] {
  if (header === undefined) return []
  const names = header
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity')
  if (names.length > MAX_ENCODINGS) {
    throw new DecodeBodyError('unsupported', `At most ${MAX_ENCODINGS} content encodings may be stacked.`)
  }
  return names.map(toEncoding)
}

function toEncoding(name: string): Encoding {
  if (name === 'x-gzip') return 'gzip'
  const known = SUPPORTED_ENCODINGS.find((encoding) => encoding === name)
  if (known !== undefined) return known
  const supported = SUPPORTED_ENCODINGS.map((encoding) => `'${encoding}'`).join(', ')
  throw new DecodeBodyError('unsupported', `Unsupported content encoding. Supported values are: ${supported}.`)
}

type Options = {
  readonly chunkSize: number
  readonly maxOutputLength: number
  readonly info: true
  readonly params?: Record<number, number>
}
type Decode = (input: Buffer, options: Options, done: (error: Error | null, result: unknown) => void) => void
/** `consumed`: how many bytes of the input belonged to what was decoded. */
type Part = { readonly buffer: Buffer; readonly consumed: number }

const decoders = {
  zstd: zlib.zstdDecompress,
  gzip: zlib.gunzip,
  br: zlib.brotliDecompress,
  inflate: zlib.inflate,
  inflateRaw: zlib.inflateRaw,
} satisfies Record<string, Decode>

/** With `info` the result is not the bare buffer, which the declared types do not know. */
function toPart(result: unknown): Part {
  if (typeof result === 'object' && result !== null && 'buffer' in result && 'engine' in result) {
    const { buffer, engine } = result
    if (Buffer.isBuffer(buffer) && typeof engine === 'object' && engine !== null && 'bytesWritten' in engine) {
      return { buffer, consumed: Number(engine.bytesWritten) }
    }
  }
  throw new TypeError('zlib answered in an unknown shape')
}

const run = (decode: Decode, input: Buffer, options: Options) =>
  new Promise<Part>((resolve, reject) => {
    decode(input, options, (error, result) => {
      if (error) reject(error)
      else resolve(toPart(result))
    })
  })

/** `deflate` means the zlib format, but some clients send the bare stream; the first two bytes tell. */
const isZlib = (body: Buffer) => body.length >= 2 && ((body[0] ?? 0) & 0x0f) === 8 && body.readUInt16BE(0) % 31 === 0

function pickDecoder(body: Buffer, encoding: Encoding): Decode {
  if (encoding !== 'deflate') return decoders[encoding]
  return isZlib(body) ? decoders.inflate : decoders.inflateRaw
}

async function decodeOne(body: Buffer, encoding: Encoding, maxBytes: number): Promise<Buffer> {
  const decode = pickDecoder(body, encoding)
  const options = { info: true, chunkSize: CHUNK_BYTES, ...(encoding === 'zstd' && ZSTD_OPTIONS) } as const
  const parts: Buffer[] = []
  let consumed = 0
  let produced = 0
  do {
    const maxOutputLength = Math.max(1, maxBytes - produced)
    const rest = consumed === 0 ? body : body.subarray(consumed)
    const part = await run(decode, rest, { ...options, maxOutputLength }).catch((error: unknown) =>
      fail(error, encoding, maxBytes),
    )
    parts.push(part.buffer)
    consumed += part.consumed
    produced += part.buffer.length
    if (produced > maxBytes) throw tooLarge(maxBytes)
    // Node decodes one zstd frame per call and a body may hold several; the other formats end where they end.
  } while (encoding === 'zstd' && consumed < body.length && parts.length < MAX_ZSTD_FRAMES)
  if (consumed < body.length) throw new DecodeBodyError('corrupt', `The ${encoding} body has bytes after its end.`)
  const [first] = parts
  return parts.length === 1 && first !== undefined ? first : Buffer.concat(parts)
}

const tooLarge = (maxBytes: number, cause?: unknown) =>
  new DecodeBodyError('too-large', `The decoded body is larger than ${maxBytes} bytes.`, cause)

function fail(error: unknown, encoding: Encoding, maxBytes: number): never {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes, error)
  throw new DecodeBodyError('corrupt', `The body is not valid ${encoding} data.`, error)
}
