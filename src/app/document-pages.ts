/** Documents among web pages, read by the process that reads all documents. */
import { DocumentError, type DocumentReader, pagesAsText } from '../documents/document-reader.ts'
import { nameInUrl, typeOfFile } from '../lib/media-type.ts'
import { type DocumentPages, PageError } from '../tools/web-search/page-reader.ts'

export function createDocumentPages(documents: DocumentReader): DocumentPages {
  return {
    async read({ url, contentType, bytes }, signal) {
      const filename = nameInUrl(url)
      const document = { filename, mediaType: typeOfFile(contentType, filename), bytes }
      if (!documents.claims(document)) return null
      try {
        return pagesAsText(await documents.readText(document, signal))
      } catch (error) {
        throw error instanceof DocumentError ? new PageError(error.message, { cause: error }) : error
      }
    },
  }
}
