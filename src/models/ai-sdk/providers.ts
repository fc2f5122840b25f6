/** Providers without an OpenAI-style endpoint of their own, each through its package of the AI SDK. Data. */
import { type ProviderRow, providerRow } from '../upstream/provider-row.ts'

export type BridgeRow = ProviderRow & {
  /** What `npm install` is told. */
  readonly packageName: string
}

/** The version of the specification that packages must speak. */
export const SPECIFICATION = 'v4'

export const BRIDGED_PROVIDERS: readonly BridgeRow[] = [
  providerRow({
    name: 'bedrock',
    title: 'Amazon Bedrock',
    baseUrl: '',
    envKeys: ['AWS_BEARER_TOKEN_BEDROCK'],
    packageName: '@ai-sdk/amazon-bedrock',
  }),
  providerRow({
    name: 'vertex',
    title: 'Google Vertex AI',
    baseUrl: '',
    envKeys: ['GOOGLE_VERTEX_API_KEY'],
    packageName: '@ai-sdk/google-vertex',
  }),
]
