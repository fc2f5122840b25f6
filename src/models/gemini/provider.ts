/** The Gemini API as a provider that needs only a key. */
import { providerRow } from '../upstream/provider-row.ts'

export const GEMINI_PROVIDER = providerRow({
  name: 'gemini',
  title: 'Google Gemini',
  baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
  envKeys: ['GEMINI_API_KEY', 'GOOGLE_API_KEY', 'GOOGLE_GENERATIVE_AI_API_KEY'],
})
