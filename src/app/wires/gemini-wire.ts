import { authHeaders, isVertex } from '../../models/gemini/endpoint.ts'
import { createGeminiModel } from '../../models/gemini/gemini-model.ts'
import type { Wire } from './wire.ts'

export const GEMINI: Wire = {
  open: createGeminiModel,
  listKind: ({ apiBase }) => (isVertex({ baseUrl: apiBase }) ? 'none' : 'gemini'),
  authorize: (apiKey, { apiBase }) => authHeaders(apiKey, { baseUrl: apiBase }),
}
