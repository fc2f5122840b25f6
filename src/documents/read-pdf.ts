/** PDF: the text of each page, as the document has it, and what is filled in. Runs in the process that reads documents. */
import { openPdf, type PdfPage } from './open-pdf.ts'
import type { TextBudget } from './text-budget.ts'

export async function readPdf(bytes: Uint8Array, budget: TextBudget): Promise<readonly string[]> {
  const pdf = await openPdf(bytes)
  return Array.from({ length: pdf.pageCount }, (_, index) => pdf.withPage(index, (page) => textOf(page, budget)))
}

function textOf(page: PdfPage, budget: TextBudget): string {
  const text = tidy(page.text((chars) => budget.spend(chars)))
  const filled = page.filled().map((line) => {
    budget.spend(line.length)
    return tidy(line)
  })
  return filled.length === 0 ? text : [text, 'Filled in:', ...filled].join('\n').trimStart()
}

/** PDFium ends lines as Windows does, and marks the hyphen of a word that goes on in the next line. */
const tidy = (text: string) => text.replaceAll('\r\n', '\n').replaceAll('\r', '\n').replaceAll('\ufffe', '')
