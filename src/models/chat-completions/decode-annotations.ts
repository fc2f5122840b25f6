/** Citations that vendors attach to text; only those that name a URL have a form in the Responses API here. */
import type { Annotation } from '../../protocol/content.ts'
import { asFields, asList, asNumber, asText, type Fields } from '../upstream/fields.ts'
import { storable } from '../upstream/surrogates.ts'

const NONE: readonly Annotation[] = []

/** Nested as OpenAI and OpenRouter have it, or flat. */
export function readAnnotations(delta: Fields): readonly Annotation[] {
  if (!delta.annotations) return NONE
  return asList(delta.annotations).flatMap((entry): Annotation[] => {
    const annotation = asFields(entry)
    if (annotation?.type !== 'url_citation') return []
    const citation = asFields(annotation.url_citation) ?? annotation
    const link = asText(citation.url)
    if (!link) return []
    const url = storable(link)
    const title = storable(asText(citation.title) ?? link)
    const start = Math.max(0, Math.floor(asNumber(citation.start_index) ?? 0))
    const end = Math.max(start, Math.floor(asNumber(citation.end_index) ?? start))
    return [{ type: 'url_citation', url, title, start_index: start, end_index: end }]
  })
}
