/** Every format that documents are read in. A new one is a file with a parser and a row here. */
import { extensionOf } from '../lib/media-type.ts'
import type { Drawing, PageImage, SourceDocument } from './document-reader.ts'
import type { TextBudget } from './text-budget.ts'

/**
 * Answers the pages, whose characters it has spent. The bytes are its own, to change and to give away. Throws
 * `DocumentError`; what else it throws counts as `malformed`.
 */
export type DocumentParser = (bytes: Uint8Array, budget: TextBudget) => Promise<readonly string[]>

/** Draws pages one by one, so that whoever collects them can stop. The bytes are its own. Throws as a parser does. */
export type PageDrawer = (bytes: Uint8Array, drawing: Drawing) => AsyncIterable<PageImage>

export type DocumentFormat = {
  /** As people call it. */
  readonly name: string
  readonly mediaTypes: readonly string[]
  /** Of names, where the media type says nothing. */
  readonly extensions: readonly string[]
  /** Loaded in the process that reads documents, and nowhere else. */
  load(): Promise<DocumentParser>
  /** Likewise. Absent: its pages cannot be drawn. */
  loadDrawer?(): Promise<PageDrawer>
}

export const FORMATS: readonly DocumentFormat[] = [
  {
    name: 'PDF',
    mediaTypes: ['application/pdf', 'application/x-pdf'],
    extensions: ['pdf'],
    load: async () => (await import('./read-pdf.ts')).readPdf,
    loadDrawer: async () => (await import('./draw-pdf.ts')).drawPdf,
  },
  {
    name: 'HTML',
    mediaTypes: ['text/html', 'application/xhtml+xml'],
    extensions: ['html', 'htm', 'xhtml'],
    load: async () => (await import('./read-html.ts')).readHtml,
  },
  {
    name: 'DOCX',
    mediaTypes: ['application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
    extensions: ['docx'],
    load: async () => (await import('./read-office.ts')).readDocx,
  },
  {
    name: 'XLSX',
    mediaTypes: ['application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
    extensions: ['xlsx'],
    load: async () => (await import('./read-office.ts')).readXlsx,
  },
  {
    name: 'PPTX',
    mediaTypes: ['application/vnd.openxmlformats-officedocument.presentationml.presentation'],
    extensions: ['pptx'],
    load: async () => (await import('./read-office.ts')).readPptx,
  },
  {
    name: 'EPUB',
    mediaTypes: ['application/epub+zip'],
    extensions: ['epub'],
    load: async () => (await import('./read-office.ts')).readEpub,
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
