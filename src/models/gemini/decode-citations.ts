/** Where a text's words come from -> `url_citation`s: what a search found (grounding), and what was recited. */
import type { Annotation } from '../../protocol/content.ts'
import { asFields, asList, asNumber, asText, type Fields } from '../upstream/fields.ts'
import { storable } from '../upstream/surrogates.ts'

/** Bytes of the whole text as UTF-8. */
type Segment = { readonly start: number; readonly end: number }
export type Citation = Segment & { readonly url: string; readonly title: string }

/** Of one chunk; a later chunk's may repeat them. */
export const readCitations = (candidate: Fields): readonly Citation[] => [
  ...readGrounding(asFields(candidate.groundingMetadata)),
  ...readRecitations(asFields(candidate.citationMetadata)),
]

function readGrounding(metadata: Fields | null): readonly Citation[] {
  const sources = asList(metadata?.groundingChunks).map(readSource)
  return asList(metadata?.groundingSupports).flatMap((entry) => {
    const support = asFields(entry)
    const segment = asFields(support?.segment)
    if (!segment) return []
    const place = readSegment(segment)
    return asList(support?.groundingChunkIndices).flatMap((index) => {
      const source = typeof index === 'number' ? sources[index] : null
      return source ? [{ ...place, ...source }] : []
    })
  })
}

/** A page, a document of the caller's own store, or a place on the map. */
function readSource(chunk: unknown): { readonly url: string; readonly title: string } | null {
  const fields = asFields(chunk)
  const source = asFields(fields?.web) ?? asFields(fields?.retrievedContext) ?? asFields(fields?.maps)
  const url = asText(source?.uri)
  return url ? { url, title: asText(source?.title) ?? url } : null
}

const readRecitations = (metadata: Fields | null): readonly Citation[] =>
  [...asList(metadata?.citationSources), ...asList(metadata?.citations)].flatMap((entry) => {
    const source = asFields(entry)
    const url = asText(source?.uri)
    return source && url ? [{ ...readSegment(source), url, title: asText(source.title) ?? url }] : []
  })

/** A start of 0 is left out of the JSON. */
function readSegment({ startIndex, endIndex }: Fields): Segment {
  const start = Math.max(0, Math.floor(asNumber(startIndex) ?? 0))
  return { start, end: Math.max(start, Math.floor(asNumber(endIndex) ?? start)) }
}

/** Gemini counts bytes, and the API Unicode characters. `skipped`: bytes of the text before this block. */
export function toAnnotations(citations: readonly Citation[], text: string, skipped: number): readonly Annotation[] {
  if (citations.length === 0) return []
  const bytes = Buffer.from(text, 'utf8')
  const characters = (end: number) => [...bytes.toString('utf8', 0, Math.max(0, end - skipped))].length
  const seen = new Set<string>()
  return citations.flatMap(({ start, end, url, title }): Annotation[] => {
    const key = `${start} ${end} ${url}`
    if (seen.has(key)) return []
    seen.add(key)
    return [
      {
        type: 'url_citation',
        url: storable(url),
        title: storable(title),
        start_index: characters(start),
        end_index: characters(end),
      },
    ]
  })
}
