/**
 * PDFium, the PDF engine of Chrome, as WebAssembly: the few calls of it that this program makes. Handles are numbers and
 * buffers lie in its memory, whose view changes when it grows. Runs in the process that reads one document and ends: of what
 * it takes, only that is given back which grows with the pages.
 */
import { PDFiumModule } from '@hyzyla/pdfium'
import { DocumentError } from './document-reader.ts'

type PdfEngine = Awaited<ReturnType<typeof PDFiumModule>>
type Page = number

/** Opaque, four bytes a pixel: red, green, blue, and one of no meaning. They lie in the memory of the engine. */
export type DrawnPage = { readonly width: number; readonly height: number; readonly data: Uint8Array }

/** Pages by their index, from 0. Everything throws `DocumentError` for a page that is damaged. */
export interface Pdf {
  readonly pageCount: number
  /** `onLength` is told how many characters it will be, before there is any of them. */
  textOf(page: number, onLength: (chars: number) => void): string
  /** `side`: pixels of the longer one. What is drawn is there for as long as `use` runs: a copy would be garbage for long. */
  draw<T>(page: number, side: number, use: (drawn: DrawnPage) => T): T
}

/** More pages than this are no document to be read by a model. */
export const MAX_PAGES = 5_000

/** What `FPDF_GetLastError` says. */
const LOCKED = 4
const UNKNOWN_LOCK = 5

/** `FPDFBitmap_BGRx`; with `REVERSE_BYTE_ORDER` the red comes first. */
const FOUR_BYTES = 3
const BYTES_PER_PIXEL = 4
const ANNOTATIONS = 0x01
const REVERSE_BYTE_ORDER = 0x10
const LIMITED_IMAGE_CACHE = 0x200
const WHITE = 0xffffffff
/** A stamp is not blown up to a poster. */
const MAX_SCALE = 4

export async function openPdf(bytes: Uint8Array): Promise<Pdf> {
  const engine = await PDFiumModule({})
  engine._FPDF_InitLibraryWithConfig({})
  const document = engine._FPDF_LoadMemDocument(copyIn(engine, bytes), bytes.length, 0)
  if (document === 0) throw toDocumentError(engine._FPDF_GetLastError())
  const pageCount = engine._FPDF_GetPageCount(document)
  if (pageCount === 0) throw new DocumentError('malformed', 'it has no pages')
  if (pageCount > MAX_PAGES) throw new DocumentError('too-large', `it has more than ${MAX_PAGES} pages`)
  let form: number | null = null
  return {
    pageCount,
    textOf: (page, onLength) => withPage(engine, document, page, (handle) => readPage(engine, handle, onLength)),
    draw(page, side, use) {
      form ??= openForm(engine, document)
      const target = { side, form }
      return withPage(engine, document, page, (handle) => drawPage(engine, handle, target, use))
    },
  }
}

function toDocumentError(code: number): DocumentError {
  if (code === LOCKED) return new DocumentError('encrypted', 'it asks for a password')
  if (code === UNKNOWN_LOCK) return new DocumentError('encrypted', 'it is locked in a way that is not known')
  return new DocumentError('malformed', 'it cannot be read as PDF')
}

function allocate({ wasmExports }: PdfEngine, bytes: number): number {
  const place = wasmExports.malloc(bytes)
  if (place === 0) throw new DocumentError('too-large', 'reading it takes too much memory')
  return place
}

function copyIn(engine: PdfEngine, bytes: Uint8Array): number {
  const place = allocate(engine, Math.max(bytes.length, 1))
  engine.HEAPU8.set(bytes, place)
  return place
}

function withPage<T>(engine: PdfEngine, document: number, index: number, use: (page: Page) => T): T {
  const page = engine._FPDF_LoadPage(document, index)
  if (page === 0) throw new DocumentError('malformed', `its page ${index + 1} is damaged`)
  try {
    return use(page)
  } finally {
    engine._FPDF_ClosePage(page)
  }
}

function readPage(engine: PdfEngine, page: Page, onLength: (chars: number) => void): string {
  const text = engine._FPDFText_LoadPage(page)
  if (text === 0) throw new DocumentError('malformed', 'its text is damaged')
  try {
    const chars = engine._FPDFText_CountChars(text)
    onLength(chars)
    if (chars <= 0) return ''
    const place = allocate(engine, (chars + 1) * 2)
    const written = engine._FPDFText_GetText(text, 0, chars, place)
    // It counts the zero at the end.
    const units = engine.HEAPU8.slice(place, place + Math.max(written - 1, 0) * 2)
    engine.wasmExports.free(place)
    return new TextDecoder('utf-16le').decode(units)
  } finally {
    engine._FPDFText_ClosePage(text)
  }
}

/** What is filled into a form is no part of its page. No script of a document runs: this build has no engine for them. */
function openForm(engine: PdfEngine, document: number): number {
  const size = 256
  const info = allocate(engine, size)
  engine.HEAPU8.fill(0, info, info + size)
  // The version of the structure, in the order of bytes that WebAssembly has.
  engine.HEAPU8[info] = 2
  return engine._FPDFDOC_InitFormFillEnvironment(document, info)
}

type Target = { readonly side: number; readonly form: number }

function drawPage<T>(engine: PdfEngine, page: Page, { side, form }: Target, use: (drawn: DrawnPage) => T): T {
  const [wide, high] = [engine._FPDF_GetPageWidth(page), engine._FPDF_GetPageHeight(page)]
  const scale = Math.min(side / Math.max(wide, high), MAX_SCALE)
  const [width, height] = [pixels(wide * scale), pixels(high * scale)]
  const stride = width * BYTES_PER_PIXEL
  const place = allocate(engine, stride * height)
  const bitmap = engine._FPDFBitmap_CreateEx(width, height, FOUR_BYTES, place, stride)
  if (bitmap === 0) throw new DocumentError('malformed', 'its pages cannot be drawn')
  const flags = REVERSE_BYTE_ORDER | LIMITED_IMAGE_CACHE
  engine._FPDFBitmap_FillRect(bitmap, 0, 0, width, height, WHITE)
  engine._FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, flags | ANNOTATIONS)
  if (form !== 0) {
    engine._FORM_OnAfterLoadPage(page, form)
    engine._FPDF_FFLDraw(form, bitmap, page, 0, 0, width, height, 0, flags)
    engine._FORM_OnBeforeClosePage(page, form)
  }
  const used = use({ width, height, data: engine.HEAPU8.subarray(place, place + stride * height) })
  engine._FPDFBitmap_Destroy(bitmap)
  engine.wasmExports.free(place)
  return used
}

function pixels(length: number): number {
  if (!Number.isFinite(length)) throw new DocumentError('malformed', 'its pages have no size')
  return Math.max(Math.round(length), 1)
}
