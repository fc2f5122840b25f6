/**
 * PORT: documents to text. Whatever a document is, its text is a list of pages; where a kind has none, it is one page.
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

export interface TextExtractor {
  /** Whether documents of this kind are read at all. */
  claims(document: Pick<SourceDocument, 'filename' | 'mediaType'>): boolean
  /** Throws `DocumentError`, and `signal.reason`. */
  extract(document: SourceDocument, signal: AbortSignal): Promise<DocumentText>
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
