/** Sources -> annotations. Only those that name a URL have a form in the Responses API here. */
import type { LanguageModelV4Source } from '@ai-sdk/provider'
import type { Annotation } from '../../protocol/content.ts'
import { storable } from '../upstream/surrogates.ts'
import { tokenCount } from '../upstream/token-counts.ts'

/** `start` and `end`: in the text, where the package knows them. */
export function readSource(source: LanguageModelV4Source, start?: number, end?: number): readonly Annotation[] {
  if (source.sourceType !== 'url' || typeof source.url !== 'string' || source.url === '') return []
  const from = tokenCount(start) ?? 0
  return [
    {
      type: 'url_citation',
      url: storable(source.url),
      title: storable(source.title || source.url),
      start_index: from,
      end_index: Math.max(from, tokenCount(end) ?? from),
    },
  ]
}
