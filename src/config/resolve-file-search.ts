/** How vector stores are searched. */
import type { ReadContext } from './kinds.ts'
import type { ReadSettings } from './read-settings.ts'
import type { FileSearchConfig } from './resolved-config.ts'

/** What is said of a reranker that has no address is reported. */
export function resolveFileSearch({ values, placeOf }: ReadSettings, context: ReadContext): FileSearchConfig {
  const url = values['tools.file_search.reranker.url']
  const reranker = {
    apiKey: values['tools.file_search.reranker.api_key'],
    model: values['tools.file_search.reranker.model'],
    timeoutMs: values['tools.file_search.reranker.timeout'],
  }
  if (url === null)
    for (const path of ['tools.file_search.reranker.api_key', 'tools.file_search.reranker.model'] as const)
      if (values[path] !== null) context.error(placeOf(path), 'the reranker lacks "url"')
  return {
    embeddingModel: values['tools.file_search.embedding_model'],
    vectorBytes: values['tools.file_search.vector_memory'],
    reranker: url === null ? null : { url, ...reranker },
  }
}
