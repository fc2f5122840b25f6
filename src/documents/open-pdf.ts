/** A PDF, page by page: its text, what is filled into its form, and how it looks. */
import { DocumentError } from './document-reader.ts'
import { openForm, type PdfForm } from './pdf-form.ts'
import { allocate, loadEngine, type PdfEngine, readWide } from './pdfium.ts'

/** Opaque, four bytes a pixel: red, green, blue, and one of no meaning. They lie in the memory of the engine. */
export type DrawnPage = { readonly width: number; readonly height: number; readonly data: Uint8Array }

export type PdfPage = {
  /** `onLength` is told how many characters it will be, before there is any of them. */
  text(onLength: (chars: number) => void): string
  /** The filled fields of a form, as `name: value`. */
  filled(): readonly string[]
  /** `side`: pixels of the longer one. What is drawn is there for as long as `use` runs: a copy would be garbage for long. */
  draw<T>(side: number, use: (drawn: DrawnPage) => T): T
}

export interface Pdf {
  readonly pageCount: number
  /** `index`: from 0. The page is there for as long as `use` runs. Throws `DocumentError` for one that is damaged. */
  withPage<T>(index: number, use: (page: PdfPage) => T): T
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
  const engine = await loadEngine()
  const place = allocate(engine, Math.max(bytes.length, 1))
  engine.HEAPU8.set(bytes, place)
  const document = engine._FPDF_LoadMemDocument(place, bytes.length, 0)
  if (document === 0) throw toDocumentError(engine._FPDF_GetLastError())
  const pageCount = engine._FPDF_GetPageCount(document)
  if (pageCount === 0) throw new DocumentError('malformed', 'it has no pages')
  if (pageCount > MAX_PAGES) throw new DocumentError('too-large', `it has more than ${MAX_PAGES} pages`)
  const form = openForm(engine, document)
  return {
    pageCount,
    withPage(index, use) {
      const page = engine._FPDF_LoadPage(document, index)
      if (page === 0) throw new DocumentError('malformed', `its page ${index + 1} is damaged`)
      try {
        return use({
          text: (onLength) => readText(engine, page, onLength),
          filled: () => form.filled(page),
          draw: (side, useDrawn) => draw(engine, page, { form, side, use: useDrawn }),
        })
      } finally {
        engine._FPDF_ClosePage(page)
      }
    },
  }
}

function toDocumentError(code: number): DocumentError {
  if (code === LOCKED) return new DocumentError('encrypted', 'it asks for a password')
  if (code === UNKNOWN_LOCK) return new DocumentError('encrypted', 'it is locked in a way that is not known')
  return new DocumentError('malformed', 'it cannot be read as PDF')
}

function readText(engine: PdfEngine, page: number, onLength: (chars: number) => void): string {
  const text = engine._FPDFText_LoadPage(page)
  if (text === 0) throw new DocumentError('malformed', 'its text is damaged')
  try {
    const chars = engine._FPDFText_CountChars(text)
    if (chars <= 0) return ''
    onLength(chars)
    return readWide(engine, (chars + 1) * 2, (place) => engine._FPDFText_GetText(text, 0, chars, place) * 2)
  } finally {
    engine._FPDFText_ClosePage(text)
  }
}

type Drawing<T> = { readonly form: PdfForm; readonly side: number; readonly use: (drawn: DrawnPage) => T }

function draw<T>(engine: PdfEngine, page: number, { form, side, use }: Drawing<T>): T {
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
  form.draw(page, bitmap, { width, height, flags })
  const used = use({ width, height, data: engine.HEAPU8.subarray(place, place + stride * height) })
  engine._FPDFBitmap_Destroy(bitmap)
  engine.wasmExports.free(place)
  return used
}

function pixels(length: number): number {
  if (!Number.isFinite(length)) throw new DocumentError('malformed', 'its pages have no size')
  return Math.max(Math.round(length), 1)
}
