/** Documents to text: plain text here, everything else in a process of its own, and each content once. */
import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../lib/clock.ts'
import { DocumentError, type DocumentText, type SourceDocument, type TextExtractor } from './extract-text.ts'
import { type DocumentFormat, formatOf } from './formats.ts'
import { createDocumentReaders, DOCUMENT_LIMITS, type DocumentLimits } from './process-extractor.ts'
import { decodeText, isPlainText } from './read-plain.ts'

/** Characters of texts that are kept, so that a document of a long conversation is read once. */
const CACHE_CHARS = 32 * 1024 * 1024

export function createDocumentExtractor(clock: Clock, limits: DocumentLimits = DOCUMENT_LIMITS): TextExtractor {
  const readers = createDocumentReaders(clock, limits)
  const cache = createTextCache(CACHE_CHARS)
  return {
    claims: (document) => formatOf(document) !== null || isPlainText(document.mediaType),
    async extract(document, signal) {
      const format = formatOf(document)
      if (format === null) return { pages: [readPlain(document, limits)] }
      const key = `${format.name} ${await digestOf(document.bytes)}`
      signal.throwIfAborted()
      return cache.get(key, () => read(format, document, signal))
    },
    close: () => readers.close(),
  }

  async function read(format: DocumentFormat, document: SourceDocument, signal: AbortSignal): Promise<DocumentText> {
    return { pages: await readers.read(format, document, signal) }
  }
}

/** What is hashed before others get their turn: all of a large document at once would be felt by every request. */
const HASHED_BYTES = 4 * 1024 * 1024

async function digestOf(bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha256')
  for (let at = 0; at < bytes.length; at += HASHED_BYTES) {
    if (at > 0) await setImmediate()
    hash.update(bytes.subarray(at, at + HASHED_BYTES))
  }
  return hash.digest('hex')
}

/** No encoding takes more for what JavaScript counts as one character. */
const MAX_BYTES_PER_CHAR = 3

function readPlain({ mediaType, bytes }: SourceDocument, limits: DocumentLimits): string {
  if (!isPlainText(mediaType)) {
    throw new DocumentError('unsupported', `it is ${mediaType || 'of an unknown type'}, of which no text can be read`)
  }
  const tooLong = () => new DocumentError('too-large', `its text is longer than ${limits.chars} characters`)
  if (bytes.length > limits.chars * MAX_BYTES_PER_CHAR) throw tooLong()
  const text = decodeText(bytes)
  if (text.includes('\0')) throw new DocumentError('malformed', 'it holds bytes that are no text')
  if (text.length > limits.chars) throw tooLong()
  return text
}

/** Failures are not kept: a document that was too much for a busy moment may be read in the next. */
function createTextCache(maxChars: number) {
  const kept = new Map<string, DocumentText>()
  let chars = 0
  const sizeOf = ({ pages }: DocumentText) => pages.reduce((sum, page) => sum + page.length, 0)
  const forget = (key: string, text: DocumentText) => {
    kept.delete(key)
    chars -= sizeOf(text)
  }
  return {
    async get(key: string, make: () => Promise<DocumentText>): Promise<DocumentText> {
      const known = kept.get(key)
      if (known) {
        kept.delete(key)
        kept.set(key, known)
        return known
      }
      const made = await make()
      const earlier = kept.get(key)
      if (earlier) forget(key, earlier)
      kept.set(key, made)
      chars += sizeOf(made)
      for (const [oldest, text] of kept) {
        if (chars <= maxChars) break
        forget(oldest, text)
      }
      return made
    },
  }
}
