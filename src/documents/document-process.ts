/**
 * The process that reads one document and ends; see `reader-processes.ts`. It has no environment, cannot write, start
 * processes or read anything but the program, and nobody waits for it longer than for its answer.
 */
import { DocumentError, type Drawing, type PageImage } from './document-reader.ts'
import { type DocumentFormat, FORMATS } from './formats.ts'
import { createTextBudget } from './text-budget.ts'

/** What comes over the channel; the document itself, of so many bytes, comes by the standard input, which copies it once. */
export type Order = { readonly format: string; readonly bytes: number; readonly task: Task }
export type Task =
  | { readonly type: 'text'; readonly maxChars: number }
  /** `maxBytes`: what all pictures may take together; those that come after are left out. */
  | { readonly type: 'images'; readonly drawing: Drawing; readonly maxBytes: number }
export type Outcome =
  | { readonly type: 'text'; readonly pages: readonly string[] }
  | { readonly type: 'images'; readonly images: readonly PageImage[] }
export type Reply = Outcome | { readonly type: 'error'; readonly kind: DocumentError['kind']; readonly message: string }

async function answer({ format: name, bytes, task }: Order): Promise<Reply> {
  try {
    const format = FORMATS.find((known) => known.name === name)
    if (!format) throw new DocumentError('unsupported', 'it is of no known format')
    const document = await receive(bytes)
    return task.type === 'text' ? await read(format, document, task.maxChars) : await draw(format, document, task)
  } catch (error) {
    if (error instanceof DocumentError) return { type: 'error', kind: error.kind, message: error.message }
    return { type: 'error', kind: 'malformed', message: `it cannot be read as ${name}` }
  }
}

async function read(format: DocumentFormat, document: Uint8Array, maxChars: number): Promise<Reply> {
  const parse = await format.load()
  const pages = (await parse(document, createTextBudget(maxChars))).map(storable)
  if (!pages.some((page) => /\S/.test(page)))
    throw new DocumentError('empty', 'it holds no text; pictures of text are not read')
  return { type: 'text', pages }
}

async function draw(
  { name, loadDrawer }: DocumentFormat,
  document: Uint8Array,
  { drawing, maxBytes }: Extract<Task, { type: 'images' }>,
): Promise<Reply> {
  if (!loadDrawer) throw new DocumentError('unsupported', `the pages of ${name} cannot be drawn`)
  const drawPages = await loadDrawer()
  const images: PageImage[] = []
  let left = maxBytes
  for await (const image of drawPages(document, drawing)) {
    left -= image.bytes.length
    if (left < 0) break
    images.push(image)
  }
  return { type: 'images', images }
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
  const reply = await answer(order)
  process.send?.(reply, undefined, undefined, () => process.disconnect())
})
