/** Forms of PDFs: what is filled into one is no part of its page, and is read and drawn apart. */
import { allocate, type PdfEngine, readWide } from './pdfium.ts'

/** `FPDF_FORMFIELD_*` of fields that are ticked, and of those that hold a text. */
const TICKED: ReadonlySet<number> = new Set([2, 3])
const TEXTS: ReadonlySet<number> = new Set([4, 5, 6])

export interface PdfForm {
  /** The filled fields of a page, as `name: value`, in the order of the document. Unticked ones are left out. */
  filled(page: number): readonly string[]
  draw(
    page: number,
    bitmap: number,
    size: { readonly width: number; readonly height: number; readonly flags: number },
  ): void
}

/** No script of a document runs: this build of PDFium has no engine for them. */
export function openForm(engine: PdfEngine, document: number): PdfForm {
  const bytes = 256
  const info = allocate(engine, bytes)
  engine.HEAPU8.fill(0, info, info + bytes)
  // The version of the structure, in the order of bytes that WebAssembly has.
  engine.HEAPU8[info] = 2
  const form = engine._FPDFDOC_InitFormFillEnvironment(document, info)
  if (form === 0) return { filled: () => [], draw: () => {} }
  const onPage = <T>(page: number, use: () => T): T => {
    engine._FORM_OnAfterLoadPage(page, form)
    const used = use()
    engine._FORM_OnBeforeClosePage(page, form)
    return used
  }
  return {
    filled: (page) => onPage(page, () => annotationsOf(engine, page, (it) => fieldLine(engine, form, it))),
    draw: (page, bitmap, { width, height, flags }) =>
      onPage(page, () => engine._FPDF_FFLDraw(form, bitmap, page, 0, 0, width, height, 0, flags)),
  }
}

/** What `use` makes of them, without what it makes nothing of. */
function annotationsOf(engine: PdfEngine, page: number, use: (annotation: number) => string | null): readonly string[] {
  const lines: string[] = []
  for (let index = 0; index < engine._FPDFPage_GetAnnotCount(page); index += 1) {
    const annotation = engine._FPDFPage_GetAnnot(page, index)
    if (annotation === 0) continue
    const line = use(annotation)
    if (line !== null) lines.push(line)
    engine._FPDFPage_CloseAnnot(annotation)
  }
  return lines
}

type TextOfField =
  | '_FPDFAnnot_GetFormFieldName'
  | '_FPDFAnnot_GetFormFieldAlternateName'
  | '_FPDFAnnot_GetFormFieldValue'

function fieldLine(engine: PdfEngine, form: number, annotation: number): string | null {
  const type = engine._FPDFAnnot_GetFormFieldType(form, annotation)
  const isTicked = TICKED.has(type) && engine._FPDFAnnot_IsChecked(form, annotation) !== 0
  if (!isTicked && !TEXTS.has(type)) return null
  const read = (call: TextOfField) => {
    const bytes = engine[call](form, annotation, 0, 0)
    return bytes <= 2 ? '' : readWide(engine, bytes, (place) => engine[call](form, annotation, place, bytes))
  }
  const value = read('_FPDFAnnot_GetFormFieldValue')
  // What a person is shown for a name, before what programs call it.
  const name = read('_FPDFAnnot_GetFormFieldAlternateName') || read('_FPDFAnnot_GetFormFieldName')
  return value.trim() === '' ? null : `${name}: ${value}`
}
