/** Every format that documents are read in. A new one is a file with a parser and a row here. */
import { extensionOf } from '../lib/media-type.ts'
import type { SourceDocument } from './extract-text.ts'

/** Answers the pages. Throws `DocumentError`; what else it throws counts as `malformed`. */
export type DocumentParser = (bytes: Uint8Array) => Promise<readonly string[]>

export type DocumentFormat = {
  /** As people call it. */
  readonly name: string
  readonly mediaTypes: readonly string[]
  /** Of names, where the media type says nothing. */
  readonly extensions: readonly string[]
  /** Loaded in the process that reads documents, and nowhere else. */
  load(): Promise<DocumentParser>
}

export const FORMATS: readonly DocumentFormat[] = [
  {
    name: 'PDF',
    mediaTypes: ['application/pdf', 'application/x-pdf'],
    extensions: ['pdf'],
    load: async () => (await import('./read-pdf.ts')).readPdf,
  },
  {
    name: 'HTML',
    mediaTypes: ['text/html', 'application/xhtml+xml'],
    extensions: ['html', 'htm', 'xhtml'],
    load: async () => (await import('./read-html.ts')).readHtml,
  },
]

/** Null when no format claims it. The media type decides; the name where that says nothing. */
export function formatOf({
  mediaType,
  filename,
}: Pick<SourceDocument, 'filename' | 'mediaType'>): DocumentFormat | null {
  const byType = FORMATS.find(({ mediaTypes }) => mediaTypes.includes(mediaType))
  if (byType) return byType
  if (mediaType !== '' && mediaType !== 'application/octet-stream' && mediaType !== 'application/zip') return null
  return FORMATS.find(({ extensions }) => extensions.includes(extensionOf(filename))) ?? null
}
