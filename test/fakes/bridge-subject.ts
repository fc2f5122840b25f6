/** The AI SDK's own OpenAI package, in Chat Completions, over the bridge: what the suites of models drive. */
import { createOpenAI } from '@ai-sdk/openai'
import { systemClock } from '../../src/lib/clock.ts'
import { createUpstreamAgent, DEFAULT_UPSTREAM_CLOCKS, type UpstreamClocks } from '../../src/lib/upstream-http.ts'
import { createAiSdkModel } from '../../src/models/ai-sdk/ai-sdk-model.ts'
import { createBridgeFetch } from '../../src/models/ai-sdk/bridge-fetch.ts'
import type { AdapterModel } from '../../src/models/upstream/adapter-options.ts'
import { TEST_CAPABILITIES } from './chat-fixtures.ts'
import { SUBJECT_KEY } from './contract-subject.ts'

export type BridgedOptions = { readonly baseUrl: string; readonly provider?: string; readonly clocks?: UpstreamClocks }

export function createBridgedOpenAi({
  baseUrl,
  provider = 'test',
  clocks = DEFAULT_UPSTREAM_CLOCKS,
}: BridgedOptions): AdapterModel {
  const clock = systemClock
  const dispatcher = createUpstreamAgent(clocks)
  const bridge = createBridgeFetch({ dispatcher, clock, clocks })
  const openai = createOpenAI({ baseURL: baseUrl, apiKey: SUBJECT_KEY, fetch: bridge.fetch })
  const model = createAiSdkModel({
    provider,
    packageName: '@ai-sdk/openai',
    secrets: [SUBJECT_KEY],
    headers: {},
    capabilities: TEST_CAPABILITIES,
    bridge,
    clock,
    clocks,
    model: (name) => openai.chat(name),
  })
  return { ...model, close: () => dispatcher.destroy() }
}
