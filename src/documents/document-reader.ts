/**
 * PORT: documents to what a model can be shown. Whatever a document is, its text is a list of pages; where a kind has
 * none, it is one page. Of some kinds the pages can be drawn as well.
 *
 * Documents come from strangers. An adapter reads them where a parser that runs wild harms nobody, within limits of time,
 * memory and length, and says of what it cannot read why.
 */
export type SourceDocument = {
  readonly filename: string
  /** Lower case, without parameters. */
  readonly mediaType: string
  readonly bytes: Uint8Array
}

export type DocumentText = { readonly pages: readonly string[] }

/** As one text. A document of several pages tells them apart, so that an answer can say where it read what. */
export const pagesAsText = ({ pages }: DocumentText): string =>
  pages.length === 1 ? (pages[0] ?? '') : pages.map((page, at) => `[page ${at + 1}]\n${page}`).join('\n\n')

type DocumentKind = Pick<SourceDocument, 'filename' | 'mediaType'>

/** How pages are drawn. */
export type Drawing = {
  /** Of the first pages, so many at most; 1 or more. */
  readonly pages: number
  /** Pixels of the longer side. */
  readonly side: number
}

/** A page as a picture. */
export type PageImage = {
  /** From 1. */
  readonly page: number
  readonly mediaType: 'image/jpeg'
  readonly bytes: Uint8Array
}

export interface DocumentReader {
  /** Whether documents of this kind are read at all. */
  claims(document: DocumentKind): boolean
  /** Throws `DocumentError`, and `signal.reason`. */
  readText(document: SourceDocument, signal: AbortSignal): Promise<DocumentText>
  /** Whether documents of this kind have pages that can be drawn. */
  draws(document: DocumentKind): boolean
  /**
   * In their order, from the first on; fewer than asked for where the document has no more, or where they take more bytes
   * than pictures of one document may. Throws as `readText` does.
   */
  drawPages(document: SourceDocument, drawing: Drawing, signal: AbortSignal): Promise<readonly PageImage[]>
  close(): Promise<void>
}

export type DocumentErrorKind =
  /** No format claims it. */
  | 'unsupported'
  /** It is not what it says it is, or damaged. */
  | 'malformed'
  /** It asks for a password. */
  | 'encrypted'
  /** Reading it takes more time, memory or text than may be. */
  | 'too-large'
  /** It holds no text: a scan, or nothing. */
  | 'empty'
  /** Too many documents wait to be read. */
  | 'busy'

/** `message` ends a sentence that begins with the name of the document: "it is ...". */
export class DocumentError extends Error {
  override readonly name = 'DocumentError'
  readonly kind: DocumentErrorKind

  constructor(kind: DocumentErrorKind, message: string, cause?: unknown) {
    super(message, { cause })
    this.kind = kind
  }
}
