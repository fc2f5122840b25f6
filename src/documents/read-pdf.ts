/** PDF: the text of each page, as the document has it. Runs in the process that reads documents. */
import { openPdf } from './pdfium.ts'
import type { TextBudget } from './text-budget.ts'

export async function readPdf(bytes: Uint8Array, budget: TextBudget): Promise<readonly string[]> {
  const pdf = await openPdf(bytes)
  return Array.from({ length: pdf.pageCount }, (_, page) => tidy(pdf.textOf(page, (chars) => budget.spend(chars))))
}

/** PDFium ends lines as Windows does, and marks the hyphen of a word that goes on in the next line. */
const tidy = (text: string) => text.replaceAll('\r\n', '\n').replaceAll('\ufffe', '')
