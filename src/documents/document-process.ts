/**
 * The process that reads one document and ends; see `process-extractor.ts`. It has no environment, cannot write, start
 * processes or read anything but the program, and nobody waits for it longer than for its answer.
 */
import { DocumentError } from './extract-text.ts'
import { FORMATS } from './formats.ts'
import { createTextBudget } from './text-budget.ts'

/** What comes over the channel; the document itself, of so many bytes, comes by the standard input, which copies it once. */
export type Order = { readonly format: string; readonly bytes: number; readonly maxChars: number }
export type Reply =
  | { readonly type: 'text'; readonly pages: readonly string[] }
  | { readonly type: 'error'; readonly kind: DocumentError['kind']; readonly message: string }

async function read({ format, bytes, maxChars }: Order): Promise<Reply> {
  try {
    const parse = await FORMATS.find(({ name }) => name === format)?.load()
    if (!parse) return { type: 'error', kind: 'unsupported', message: 'it is of no known format' }
    const pages = (await parse(await receive(bytes), createTextBudget(maxChars))).map(storable)
    if (!pages.some((page) => /\S/.test(page))) {
      return { type: 'error', kind: 'empty', message: 'it holds no text; pictures of text are not read' }
    }
    return { type: 'text', pages }
  } catch (error) {
    if (error instanceof DocumentError) return { type: 'error', kind: error.kind, message: error.message }
    return { type: 'error', kind: 'malformed', message: `it cannot be read as ${format}` }
  }
}

async function receive(length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  let received = 0
  for await (const piece of process.stdin) {
    bytes.set(piece, received)
    received += piece.length
  }
  return bytes
}

/** What no store keeps exactly: NUL, and half of a surrogate pair. */
const storable = (text: string) => text.replaceAll('\0', '\ufffd').toWellFormed()

process.once('message', async (order: Order) => {
  const reply = await read(order)
  process.send?.(reply, undefined, undefined, () => process.disconnect())
})
