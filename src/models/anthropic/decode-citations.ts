/** Citations of a piece of text -> annotations. The piece itself is what they annotate. */
import type { Annotation } from '../../protocol/content.ts'
import { asFields, asNumber, asText, type Fields } from '../upstream/fields.ts'
import { storable } from '../upstream/surrogates.ts'

/** Where the piece stands in the whole text, in characters. */
export type TextSpan = { readonly start: number; readonly end: number }

/** Null for what has no form in the Responses API. */
export function readCitation(value: unknown, { start, end }: TextSpan): Annotation | null {
  const citation = asFields(value)
  if (!citation) return null
  const url = urlOf(citation)
  if (url !== null) {
    const title = storable(asText(citation.title) ?? url)
    return { type: 'url_citation', url: storable(url), title, start_index: start, end_index: end }
  }
  const index = asNumber(citation.document_index)
  if (index === null || index < 0) return null
  // A document that was sent along has a place in the request, and no id.
  const file_id = storable(asText(citation.file_id) ?? `document_${Math.floor(index)}`)
  const filename = storable(asText(citation.document_title) ?? file_id)
  return { type: 'file_citation', file_id, filename, index: Math.floor(index) }
}

function urlOf({ url, source }: Fields): string | null {
  const link = asText(url) ?? asText(source)
  return link !== null && /^https?:\/\//i.test(link) ? link : null
}
