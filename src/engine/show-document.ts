/**
 * A document as parts that a model can be shown: its text, page by page, and where the model sees images the pages as
 * pictures too, so that scans, figures and handwriting are not lost.
 */
import {
  DocumentError,
  type DocumentReader,
  type DocumentText,
  type PageImage,
  pagesAsText,
  type SourceDocument,
} from '../documents/document-reader.ts'
import { toDataUrl } from '../lib/data-url.ts'
import type { Model } from '../models/model.ts'
import type { StoredPart } from '../protocol/content.ts'
import { clip } from '../protocol/invalid-texts.ts'
import { markForeign } from '../tools/tool.ts'

/** Pixels of a page's longer side, and about what a picture of it costs a model. */
export const PAGE_DETAILS = { low: { side: 768, tokens: 800 }, high: { side: 1_536, tokens: 1_600 } } as const
export type PageDetail = keyof typeof PAGE_DETAILS

/** What of its window a model is filled with by pictures of pages at most: the text and the answer need room too. */
export const SHARE_OF_WINDOW = 0.5

/** Pages of one turn that may still be drawn; counted down. */
export type PageBudget = { pages: number; tokens: number }

export function pageBudget({ capabilities, fields }: Model, maxPages: number): PageBudget {
  const support = fields['input.image'] ?? 'native'
  const isBlind = !capabilities.imageInput || support === 'refused' || support === 'ignored'
  const tokens = (capabilities.contextWindow ?? Number.POSITIVE_INFINITY) * SHARE_OF_WINDOW
  return { pages: isBlind ? 0 : maxPages, tokens }
}

export type Showing = {
  readonly documents: DocumentReader
  readonly detail: PageDetail
  /** It is known to see images, and not only believed to: a text is not put at risk for pictures that might be refused. */
  readonly seesImages: boolean
  readonly budget: PageBudget
  readonly signal: AbortSignal
}

/** `shown`: what it is, as "the text of 'a.pdf'". */
export type ShownDocument = { readonly parts: readonly StoredPart[]; readonly shown: string }

/** Throws `DocumentError` for a document of which nothing can be shown. */
export async function showDocument(document: SourceDocument, showing: Showing): Promise<ShownDocument> {
  const name = `'${clip(document.filename)}'`
  const text = await readText(document, showing)
  const drawn = await drawPages(document, text instanceof DocumentError ? text : null, showing)
  const images = drawn instanceof DocumentError ? [] : drawn
  const pictured = images.length === 1 ? 'first page' : `first ${images.length} pages`
  const said = text instanceof DocumentError ? `It holds no text. Its ${pictured} as images:` : pagesAsText(text)
  const parts = [textPart(document, said), ...images.flatMap((image) => imageParts(document, image))]
  if (text instanceof DocumentError) return { parts, shown: `pictures of the ${pictured} of ${name}` }
  if (images.length > 0) return { parts, shown: `the text of ${name} and pictures of its ${pictured}` }
  const why = drawn instanceof DocumentError ? ` (no pictures of its pages: ${drawn.message})` : ''
  return { parts, shown: `the text of ${name}${why}` }
}

/** The error of a document without text is no reason to give up while its pages can be drawn. */
async function readText(document: SourceDocument, showing: Showing): Promise<DocumentText | DocumentError> {
  const { documents, signal } = showing
  try {
    return await documents.readText(document, signal)
  } catch (error) {
    const isScan = error instanceof DocumentError && error.kind === 'empty'
    if (isScan && documents.draws(document) && roomFor(showing) > 0) return error
    throw error
  }
}

/** Throws what a document without text failed with, or says why one with text is shown without pictures. */
async function drawPages(
  document: SourceDocument,
  noText: DocumentError | null,
  showing: Showing,
): Promise<readonly PageImage[] | DocumentError> {
  const { documents, detail, seesImages, budget, signal } = showing
  const pages = roomFor(showing)
  if (pages === 0 || !documents.draws(document) || (noText === null && !seesImages)) return []
  try {
    const { side, tokens } = PAGE_DETAILS[detail]
    const images = await documents.drawPages(document, { pages, side }, signal)
    if (images.length === 0 && noText !== null) throw noText
    budget.pages -= images.length
    budget.tokens -= images.length * tokens
    return images
  } catch (error) {
    // What is only a matter of waiting is not decided by chance.
    if (noText !== null || !(error instanceof DocumentError) || error.kind === 'busy') throw error
    return error
  }
}

const roomFor = ({ budget, detail }: Showing): number =>
  Math.max(Math.min(budget.pages, Math.floor(budget.tokens / PAGE_DETAILS[detail].tokens)), 0)

const textPart = ({ filename }: SourceDocument, text: string): StoredPart => ({
  type: 'input_text',
  text: markForeign(`the file '${filename}'`, text),
})

const imageParts = ({ filename }: SourceDocument, { page, mediaType, bytes }: PageImage): readonly StoredPart[] => [
  { type: 'input_text', text: `[page ${page} of '${filename}' as an image]` },
  { type: 'input_image', detail: 'auto', image_url: toDataUrl(mediaType, bytes) },
]
