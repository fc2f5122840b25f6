/** Where a Gemini model is called, and what lets us in: at the Gemini API, or at Vertex AI. */
import { type Connection, endpoint } from '../upstream/connection.ts'

export type GeminiMethod = 'streamGenerateContent' | 'countTokens'

/** Vertex AI serves models as those of a publisher, as `.../locations/global/publishers/google`. */
export const isVertex = ({ baseUrl }: Pick<Connection, 'baseUrl'>): boolean =>
  /\/(publishers|projects)\//.test(URL.parse(baseUrl)?.pathname ?? '')

/** Throws `TypeError` for a base URL that no request could be sent to. */
export function methodUrl({ baseUrl }: Pick<Connection, 'baseUrl'>, model: string, method: GeminiMethod): URL {
  const url = endpoint(baseUrl, `/${resourceOf(model)}:${method}`)
  if (method === 'streamGenerateContent') url.searchParams.set('alt', 'sse')
  return url
}

/** A bare name is one of `models/`; a tuned one says so. The rest is one segment, whatever a client put into it. */
function resourceOf(model: string): string {
  const [, folder = 'models', name = ''] = /^(?:(models|tunedModels)\/)?(.*)$/s.exec(model) ?? []
  return `${folder}/${encodeURIComponent(name)}`
}

/** In a header, never in the URL: URLs are logged. Vertex AI takes an access token, or an API key of its express mode. */
export function authHeaders(apiKey: string | null, connection: Pick<Connection, 'baseUrl'>): Record<string, string> {
  const key = apiKey?.trim()
  if (!key) return {}
  const isApiKey = !isVertex(connection) || /^A(Iza|Q\.)/.test(key)
  return isApiKey ? { 'x-goog-api-key': key } : { authorization: `Bearer ${key}` }
}
