/** PDF: the text of each page, as the document has it. Runs in the process that reads documents. */
import { DocumentError } from './extract-text.ts'

/** More pages than this are no document to be read by a model. */
export const MAX_PAGES = 5_000

export async function readPdf(bytes: Uint8Array): Promise<readonly string[]> {
  const { getDocumentProxy } = await import('unpdf')
  const document = await getDocumentProxy(new Uint8Array(bytes), { verbosity: 0 }).catch((error: unknown) => {
    throw isNamed(error, 'PasswordException') ? new DocumentError('encrypted', 'it asks for a password') : error
  })
  if (document.numPages > MAX_PAGES) {
    throw new DocumentError('too-large', `it has more than ${MAX_PAGES} pages`)
  }
  const pages: string[] = []
  for (let number = 1; number <= document.numPages; number += 1) {
    const page = await document.getPage(number)
    const { items } = await page.getTextContent()
    pages.push(joinItems(items))
    page.cleanup()
  }
  return pages
}

/** A piece of text as the page draws it. */
type TextItem = { readonly str: string; readonly hasEOL: boolean }

const joinItems = (items: readonly object[]): string =>
  items
    .filter((item): item is TextItem => 'str' in item)
    .map(({ str, hasEOL }) => (hasEOL ? `${str}\n` : str))
    .join('')

const isNamed = (error: unknown, name: string) => error instanceof Error && error.name === name
