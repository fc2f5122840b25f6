/**
 * PDFium, the PDF engine of Chrome, as WebAssembly: the calls of it that this program makes. Handles are numbers, 0 for
 * none, and buffers lie in its memory, whose view changes when it grows. Runs in the process that reads one document and
 * ends: of what it takes, only that is given back which grows with the pages.
 */
import { PDFiumModule } from '@hyzyla/pdfium'
import { DocumentError } from './document-reader.ts'

/** What the package's types leave out. */
type MoreCalls = {
  _FPDFPage_GetAnnotCount(page: number): number
  _FPDFPage_GetAnnot(page: number, index: number): number
  _FPDFPage_CloseAnnot(annotation: number): void
  /** -1 for what is no field. */
  _FPDFAnnot_GetFormFieldType(form: number, annotation: number): number
  _FPDFAnnot_GetFormFieldName: ReadField
  _FPDFAnnot_GetFormFieldAlternateName: ReadField
  _FPDFAnnot_GetFormFieldValue: ReadField
  _FPDFAnnot_IsChecked(form: number, annotation: number): number
}
/** Answers how many bytes the text takes with the zero at its end, and writes it where that many fit. */
type ReadField = (form: number, annotation: number, buffer: number, bytes: number) => number

export type PdfEngine = Awaited<ReturnType<typeof PDFiumModule>> & MoreCalls

export async function loadEngine(): Promise<PdfEngine> {
  // The check: its build exports every call of the C interface, named with a line before it.
  const engine = (await PDFiumModule({})) as PdfEngine
  engine._FPDF_InitLibraryWithConfig({})
  return engine
}

export function allocate({ wasmExports }: PdfEngine, bytes: number): number {
  const place = wasmExports.malloc(bytes)
  if (place === 0) throw new DocumentError('too-large', 'reading it takes too much memory')
  return place
}

/** UTF-16 that `write` writes to where it is told, answering how many bytes it wrote with the zero at the end. */
export function readWide(engine: PdfEngine, bytes: number, write: (place: number) => number): string {
  const place = allocate(engine, bytes)
  const written = Math.min(write(place), bytes)
  const units = engine.HEAPU8.slice(place, place + Math.max(written - 2, 0))
  engine.wasmExports.free(place)
  return new TextDecoder('utf-16le').decode(units)
}
