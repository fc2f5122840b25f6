/** Several engines as one: the next is asked where one fails or finds nothing. */
import { type SearchEngine, SearchError, type SearchHit } from './search-engine.ts'

/** `onFailure`: told of every engine that failed, also when another one answered. */
export function searchWithFallback(
  engines: readonly SearchEngine[],
  onFailure: (error: SearchError) => void,
): SearchEngine {
  return {
    name: engines.map(({ name }) => name).join(', '),
    async search(query, signal) {
      const failures: SearchError[] = []
      let answered: readonly SearchHit[] | null = null
      for (const engine of engines) {
        try {
          answered = await engine.search(query, signal)
          if (answered.length > 0) return answered
        } catch (error) {
          if (!(error instanceof SearchError) || error.kind === 'aborted') throw error
          onFailure(error)
          failures.push(error)
        }
      }
      const [first] = failures
      if (answered !== null || first === undefined) return answered ?? []
      throw new SearchError(first.kind, failures.map(({ message }) => message).join('; '), first)
    },
  }
}
