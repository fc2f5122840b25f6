/**
 * `multipart/form-data` (RFC 7578), pulled: whoever reads a part pulls it from the source, so nothing arrives faster than
 * it is taken, and of a body of any size a few chunks are in memory.
 *
 * Invariant: a body is read whole or refused. What a part says of itself is either understood or an error; nothing is
 * skipped, because a field that is left out silently is a field that the sender believes in.
 */

export type MultipartPart = {
  readonly name: string
  /** Null: a plain field. As it was sent, escapes undone: it may hold anything. */
  readonly filename: string | null
  /** As it was sent; empty when it was not. */
  readonly contentType: string
  /** To be read to its end before the next part is asked for. */
  readonly content: AsyncIterable<Buffer>
}

export type MultipartLimits = {
  /** Of the head of one part, and of what may stand before the first part and after the last. */
  readonly headBytes: number
  readonly parts: number
}

export class MultipartError extends Error {
  override readonly name = 'MultipartError'
}

/** The boundary that a `Content-Type` names; null when it is none of a form, or names none. */
export function boundaryOf(contentType: string): string | null {
  if (!/^multipart\/form-data[\t ]*;/i.test(contentType)) return null
  const match = /;[\t ]*boundary=(?:"([^"]{1,70})"|([^\s";,]{1,70}))[\t ]*(?:;|$)/i.exec(contentType)
  return match?.[1] ?? match?.[2] ?? null
}

const CRLF = Buffer.from('\r\n')
const HEAD_END = Buffer.from('\r\n\r\n')
const DASH = 0x2d

/** Throws `MultipartError`, and what the source throws. */
export async function* parseMultipart(
  source: AsyncIterable<Uint8Array>,
  boundary: string,
  limits: MultipartLimits,
): AsyncGenerator<MultipartPart, void, undefined> {
  const input = createInput(source[Symbol.asyncIterator]())
  const delimiter = Buffer.from(`\r\n--${boundary}`)
  // The first boundary may be the first thing of all: then only its line end is missing.
  input.unread(CRLF)
  await input.readThrough(delimiter, limits.headBytes, 'its first boundary')
  for (let parts = 0; !(await isLast(input, limits)); parts += 1) {
    if (parts >= limits.parts) throw new MultipartError(`it has more than ${limits.parts} parts`)
    const head = parseHead(await input.readThrough(HEAD_END, limits.headBytes, 'the end of the head of a part'))
    let isRead = false
    const content = readContent(input, delimiter, () => {
      isRead = true
    })
    yield { ...head, content }
    if (!isRead) throw new Error('a part was left before its end')
  }
  await input.skipRest(limits.headBytes)
}

/** Reads what follows a boundary: two dashes end the body, anything but a line end is an error. */
async function isLast(input: Input, { headBytes }: MultipartLimits): Promise<boolean> {
  const mark = await input.peek(2)
  if (mark.length === 2 && mark[0] === DASH && mark[1] === DASH) return true
  const padding = await input.readThrough(CRLF, headBytes, 'the line end after a boundary')
  if (/[^\t ]/.test(padding.toString('latin1'))) throw new MultipartError('a boundary is followed by other text')
  // So that a part without any header has an end of its head, too.
  input.unread(CRLF)
  return false
}

async function* readContent(
  input: Input,
  delimiter: Buffer,
  onEnd: () => void,
): AsyncGenerator<Buffer, void, undefined> {
  for (;;) {
    const chunk = await input.readBefore(delimiter)
    if (chunk === null) break
    if (chunk.length > 0) yield chunk
  }
  onEnd()
}

type Input = {
  /** Puts bytes before what comes next. */
  unread(bytes: Buffer): void
  /** The next bytes without taking them; fewer at the end. */
  peek(count: number): Promise<Buffer>
  /** What stands before `mark`; takes both. */
  readThrough(mark: Buffer, maxBytes: number, what: string): Promise<Buffer>
  /** Some of what stands before `mark`; null once nothing does, and then `mark` is taken. */
  readBefore(mark: Buffer): Promise<Buffer | null>
  /** Reads to the end of the source. */
  skipRest(maxBytes: number): Promise<void>
}

function createInput(source: AsyncIterator<Uint8Array>): Input {
  let held: Buffer = Buffer.alloc(0)
  /** Answers whether there was more. */
  const pull = async (): Promise<boolean> => {
    const next = await source.next()
    if (next.done) return false
    held = held.length === 0 ? Buffer.from(next.value) : Buffer.concat([held, next.value])
    return true
  }
  const take = (count: number): Buffer => {
    const taken = held.subarray(0, count)
    held = held.subarray(count)
    return taken
  }
  return {
    unread(bytes) {
      held = Buffer.concat([bytes, held])
    },
    async peek(count) {
      while (held.length < count && (await pull()));
      return held.subarray(0, count)
    },
    async readThrough(mark, maxBytes, what) {
      for (let from = 0; ; ) {
        const found = held.indexOf(mark, from)
        if (found > maxBytes || (found === -1 && held.length > maxBytes + mark.length)) {
          throw new MultipartError(`${what} does not come within ${maxBytes} bytes`)
        }
        if (found !== -1) {
          const before = take(found)
          take(mark.length)
          return before
        }
        from = Math.max(0, held.length - mark.length + 1)
        if (!(await pull())) throw new MultipartError(`it ends before ${what}`)
      }
    },
    async readBefore(mark) {
      for (;;) {
        const found = held.indexOf(mark)
        if (found === 0) {
          take(mark.length)
          return null
        }
        // A boundary may have begun in the last bytes.
        const safe = found === -1 ? held.length - mark.length + 1 : found
        if (safe > 0) return take(safe)
        if (!(await pull())) throw new MultipartError('it ends in the middle of a part')
      }
    },
    async skipRest(maxBytes) {
      for (let skipped = held.length; ; skipped += held.length) {
        if (skipped > maxBytes) throw new MultipartError('it goes on after its last boundary')
        held = Buffer.alloc(0)
        if (!(await pull())) return
      }
    },
  }
}

type Head = Omit<MultipartPart, 'content'>

function parseHead(bytes: Buffer): Head {
  const headers = new Map<string, string>()
  for (const line of decode(bytes).split('\r\n')) {
    if (line === '') continue
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*([^\r\n]*)$/.exec(line)
    if (!match?.[1]) throw new MultipartError('a line in the head of a part is no header')
    const name = match[1].toLowerCase()
    if (headers.has(name)) throw new MultipartError(`a part has two headers '${name}'`)
    headers.set(name, match[2] ?? '')
  }
  if (/[^\s]/.test(headers.get('content-transfer-encoding')?.replace(/^(7bit|8bit|binary)\s*$/i, '') ?? '')) {
    throw new MultipartError('a part has a Content-Transfer-Encoding; send bytes as they are')
  }
  return { ...parseDisposition(headers.get('content-disposition')), contentType: headers.get('content-type') ?? '' }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new MultipartError('the head of a part is not UTF-8', { cause })
  }
}

/** One parameter: `; name="value"`, where a quoted value may hold `\"` and `\\`. */
const PARAMETER = /;[\t ]*([A-Za-z0-9_-]+\*?)[\t ]*=[\t ]*(?:"((?:\\["\\]|[^"])*)"|([^\s;"]*))[\t ]*/y

function parseDisposition(header: string | undefined): Pick<Head, 'name' | 'filename'> {
  const kind = /^form-data[\t ]*/i.exec(header ?? '')
  if (!kind || header === undefined) throw new MultipartError("a part has no 'Content-Disposition: form-data'")
  const values = new Map<string, string>()
  PARAMETER.lastIndex = kind[0].length
  while (PARAMETER.lastIndex < header.length) {
    const match = PARAMETER.exec(header)
    if (!match?.[1]) throw new MultipartError('a Content-Disposition is malformed')
    const key = match[1].toLowerCase()
    if (values.has(key)) throw new MultipartError(`a Content-Disposition has two '${key}'`)
    values.set(key, match[2] === undefined ? (match[3] ?? '') : unquote(match[2]))
  }
  const name = values.get('name')
  if (name === undefined) throw new MultipartError('a part has no name')
  const extended = values.get('filename*')
  return { name, filename: extended === undefined ? (values.get('filename') ?? null) : decodeExtended(extended) }
}

/** Some senders escape a quote by a backslash, browsers by `%22`, and line ends by `%0D` and `%0A`. */
const unquote = (text: string) =>
  text.replace(/\\(["\\])/g, '$1').replace(/%(22|0D|0A)/gi, (_, code) => String.fromCharCode(Number.parseInt(code, 16)))

/** RFC 5987: `UTF-8''na%C3%AFve.txt`. */
function decodeExtended(value: string): string {
  const encoded = /^utf-8'[^']*'(.*)$/i.exec(value)?.[1]
  try {
    if (encoded !== undefined) return decodeURIComponent(encoded)
  } catch {
    // Reported with the other ways to get it wrong.
  }
  throw new MultipartError("a 'filename*' is not UTF-8")
}
