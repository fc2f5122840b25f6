/** Documents as text and pictures: plain text here, everything else in a process of its own, and each content once. */
import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../lib/clock.ts'
import { createLruMap, type LruMap } from '../lib/lru-map.ts'
import {
  DocumentError,
  type DocumentReader,
  type DocumentText,
  type PageImage,
  type SourceDocument,
} from './document-reader.ts'
import { formatOf } from './formats.ts'
import { decodeText, isPlainText } from './read-plain.ts'
import { createReaderProcesses, DOCUMENT_LIMITS, type DocumentLimits } from './reader-processes.ts'

/** What is kept, so that a document of a long conversation is read once: characters of texts, bytes of pictures. */
const KEPT_CHARS = 32 * 1024 * 1024
const KEPT_BYTES = 64 * 1024 * 1024

export function createIsolatedReader(clock: Clock, limits: DocumentLimits = DOCUMENT_LIMITS): DocumentReader {
  const processes = createReaderProcesses(clock, limits)
  const texts = createLruMap<string, DocumentText>(KEPT_CHARS, ({ pages }) => sum(pages))
  const pictures = createLruMap<string, readonly PageImage[]>(KEPT_BYTES, (images) =>
    sum(images.map(({ bytes }) => bytes)),
  )
  const digestOf = createDigests()
  return {
    claims: (document) => formatOf(document) !== null || isPlainText(document.mediaType),
    async readText(document, signal) {
      const format = formatOf(document)
      if (format === null) return { pages: [readPlain(document, limits)] }
      const key = `${format.name} ${await digestOf(document.bytes)}`
      signal.throwIfAborted()
      return once(texts, key, async () => ({ pages: await processes.readText(format, document, signal) }))
    },
    draws: (document) => formatOf(document)?.loadDrawer !== undefined,
    async drawPages(document, drawing, signal) {
      const format = formatOf(document)
      if (!format?.loadDrawer) throw new DocumentError('unsupported', 'it has no pages that can be drawn')
      const key = `${format.name} ${drawing.pages} ${drawing.side} ${await digestOf(document.bytes)}`
      signal.throwIfAborted()
      return once(pictures, key, () => processes.drawPages(format, document, drawing, signal))
    },
    close: () => processes.close(),
  }
}

/** Failures are not kept: a document that was too much for a busy moment may be read in the next. */
async function once<Value>(kept: LruMap<string, Value>, key: string, make: () => Promise<Value>): Promise<Value> {
  const known = kept.get(key)
  if (known !== undefined) return known
  const made = await make()
  kept.set(key, made)
  return made
}

const sum = (all: readonly { readonly length: number }[]): number => all.reduce((size, { length }) => size + length, 0)

/** What is hashed before others get their turn: all of a large document at once would be felt by every request. */
const HASHED_BYTES = 4 * 1024 * 1024

/** Bytes that are read and then drawn are hashed once. */
function createDigests(): (bytes: Uint8Array) => Promise<string> {
  const known = new WeakMap<Uint8Array, string>()
  return async (bytes) => {
    const digest = known.get(bytes) ?? (await hash(bytes))
    known.set(bytes, digest)
    return digest
  }
}

async function hash(bytes: Uint8Array): Promise<string> {
  const digest = createHash('sha256')
  for (let at = 0; at < bytes.length; at += HASHED_BYTES) {
    if (at > 0) await setImmediate()
    digest.update(bytes.subarray(at, at + HASHED_BYTES))
  }
  return digest.digest('hex')
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
