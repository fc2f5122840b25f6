/** PDF: the text of each page, as the document has it. Runs in the process that reads documents. */
import { DocumentError } from './extract-text.ts'
import type { TextBudget } from './text-budget.ts'

/** More pages than this are no document to be read by a model. */
export const MAX_PAGES = 5_000

export async function readPdf(bytes: Uint8Array, budget: TextBudget): Promise<readonly string[]> {
  const { getDocumentProxy } = await import('unpdf')
  const document = await getDocumentProxy(bytes, { verbosity: 0 }).catch((error: unknown) => {
    throw isNamed(error, 'PasswordException') ? new DocumentError('encrypted', 'it asks for a password') : error
  })
  if (document.numPages > MAX_PAGES) {
    throw new DocumentError('too-large', `it has more than ${MAX_PAGES} pages`)
  }
  const pages: string[] = []
  for (let number = 1; number <= document.numPages; number += 1) {
    const page = await document.getPage(number)
    pages.push(await textOf(page.streamTextContent(), budget))
    page.cleanup()
  }
  return pages
}

/** As it comes: a page may draw the same text a million times. */
async function textOf(stream: ReadableStream<TextContent>, budget: TextBudget): Promise<string> {
  const pieces: string[] = []
  for await (const { items } of stream) {
    const text = joinItems(items)
    budget.spend(text.length)
    pieces.push(text)
  }
  return pieces.join('')
}

type TextContent = { readonly items: readonly object[] }

/** A piece of text as the page draws it. */
type TextItem = { readonly str: string; readonly hasEOL: boolean }

const joinItems = (items: readonly object[]): string =>
  items
    .filter((item): item is TextItem => 'str' in item)
    .map(({ str, hasEOL }) => (hasEOL ? `${str}\n` : str))
    .join('')

const isNamed = (error: unknown, name: string) => error instanceof Error && error.name === name
