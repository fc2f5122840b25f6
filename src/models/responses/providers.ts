/** Providers whose own API is the Responses API. Data: name, address, where the key is found, quirks. */
import { type ProviderRow, providerRow } from '../upstream/provider-row.ts'
import { DEFAULT_RESPONSES_QUIRKS, type ResponsesQuirks } from './quirks.ts'

export type ResponsesProviderRow = ProviderRow & {
  readonly quirks: Partial<ResponsesQuirks>
  /** The header its key travels in; by default `authorization`. */
  readonly keyHeader?: string
}

const OPENAI: Partial<ResponsesQuirks> = {
  customTools: true,
  clientTools: true,
  allowedTools: true,
  penalties: false,
  obfuscationOption: true,
  reasoningText: false,
}

export const RESPONSES_PROVIDERS: readonly ResponsesProviderRow[] = [
  providerRow({
    name: 'openai',
    title: 'OpenAI',
    baseUrl: 'https://api.openai.com/v1',
    envKeys: ['OPENAI_API_KEY'],
    envBaseUrls: ['OPENAI_BASE_URL'],
    quirks: OPENAI,
  }),
  providerRow({
    name: 'azure',
    title: 'Azure OpenAI',
    baseUrl: 'https://NAME.openai.azure.com/openai/v1',
    envKeys: ['AZURE_OPENAI_API_KEY'],
    envBaseUrls: ['AZURE_OPENAI_BASE_URL', 'AZURE_OPENAI_ENDPOINT'],
    quirks: OPENAI,
    keyHeader: 'api-key',
  }),
]

const rowOf = (provider: string) => RESPONSES_PROVIDERS.find(({ name }) => name === provider)

/** The quirks of a provider by name; an unknown name gets the defaults. `overrides` are the operator's word. */
export const responsesQuirksOf = (provider: string, overrides: Partial<ResponsesQuirks> = {}): ResponsesQuirks => ({
  ...DEFAULT_RESPONSES_QUIRKS,
  ...rowOf(provider)?.quirks,
  ...overrides,
})

/** The headers that let a call in. */
export const keyHeaders = (provider: string, apiKey: string): Readonly<Record<string, string>> => {
  const header = rowOf(provider)?.keyHeader
  return header === undefined ? { authorization: `Bearer ${apiKey}` } : { [header]: apiKey }
}
