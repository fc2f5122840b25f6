/** Providers that need only a key, or only to be running. Data: name, address, where the key is found, quirks. */
import { type ProviderRow, providerRow } from '../upstream/provider-row.ts'
import { type Quirks, withQuirks } from './quirks.ts'

export type ChatProviderRow = ProviderRow & { readonly quirks: Partial<Quirks> }

const row = (init: Parameters<typeof providerRow>[0] & { readonly quirks?: Partial<Quirks> }): ChatProviderRow =>
  providerRow({ quirks: {}, ...init })

/** Hosted endpoints send reasoning in a field of its own, and take system messages anywhere. */
const HOSTED: Partial<Quirks> = { thinkTags: false, systemMessages: 'anywhere' }
/** Engines that apply the model's own chat template; its older reasoning matters only inside a tool loop. */
const ENGINE: Partial<Quirks> = {
  thinkTags: true,
  systemMessages: 'first',
  reasoningInput: { field: 'reasoning_content', when: 'tool-calls' },
}

export const CHAT_PROVIDERS: readonly ChatProviderRow[] = [
  row({
    name: 'openai',
    title: 'OpenAI',
    baseUrl: 'https://api.openai.com/v1',
    envKeys: ['OPENAI_API_KEY'],
    envBaseUrls: ['OPENAI_BASE_URL'],
    quirks: {
      ...HOSTED,
      maxTokensField: 'max_completion_tokens',
      developerRole: 'developer',
      reasoningEffort: {
        field: 'reasoning_effort',
        values: ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'],
      },
      allowedTools: true,
      customTools: true,
      fileParts: true,
      refusalField: true,
      verbosity: true,
      serviceTier: true,
      promptCacheKey: true,
      promptCacheRetention: true,
      safetyIdentifierField: 'safety_identifier',
    },
  }),
  row({
    name: 'anthropic',
    title: 'Anthropic (compatibility endpoint)',
    baseUrl: 'https://api.anthropic.com/v1',
    envKeys: ['ANTHROPIC_API_KEY'],
    quirks: {
      ...HOSTED,
      reasoningEffort: null,
      structuredOutput: 'none',
      logprobs: false,
      penalties: false,
    },
  }),
  row({
    name: 'gemini',
    title: 'Google Gemini (compatibility endpoint)',
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai',
    envKeys: ['GEMINI_API_KEY', 'GOOGLE_API_KEY', 'GOOGLE_GENERATIVE_AI_API_KEY'],
    quirks: {
      ...HOSTED,
      reasoningEffort: { field: 'reasoning_effort', values: ['none', 'minimal', 'low', 'medium', 'high'] },
      parallelToolCalls: false,
      logprobs: false,
      penalties: false,
      reasoningState: 'extra_content',
    },
  }),
  row({
    name: 'groq',
    title: 'Groq',
    baseUrl: 'https://api.groq.com/openai/v1',
    envKeys: ['GROQ_API_KEY'],
    quirks: {
      ...HOSTED,
      maxTokensField: 'max_completion_tokens',
      logprobs: false,
      serviceTier: true,
      safetyIdentifierField: 'user',
      thinkTags: true,
    },
  }),
  row({
    name: 'mistral',
    title: 'Mistral',
    baseUrl: 'https://api.mistral.ai/v1',
    envKeys: ['MISTRAL_API_KEY'],
    quirks: { ...HOSTED, streamOptions: false, reasoningEffort: null, logprobs: false },
  }),
  row({
    name: 'xai',
    title: 'xAI',
    baseUrl: 'https://api.x.ai/v1',
    envKeys: ['XAI_API_KEY'],
    quirks: { ...HOSTED, maxTokensField: 'max_completion_tokens', penalties: false, safetyIdentifierField: 'user' },
  }),
  row({
    name: 'deepseek',
    title: 'DeepSeek',
    baseUrl: 'https://api.deepseek.com/v1',
    envKeys: ['DEEPSEEK_API_KEY'],
    quirks: {
      ...HOSTED,
      reasoningEffort: null,
      structuredOutput: 'json_object',
      parallelToolCalls: false,
      reasoningInput: { field: 'reasoning_content', when: 'tool-calls' },
    },
  }),
  row({
    name: 'openrouter',
    title: 'OpenRouter',
    baseUrl: 'https://openrouter.ai/api/v1',
    envKeys: ['OPENROUTER_API_KEY'],
    quirks: {
      ...HOSTED,
      reasoningEffort: {
        field: 'reasoning.effort',
        values: ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'],
      },
      reasoningFields: ['reasoning', 'reasoning_content'],
      reasoningState: 'reasoning_details',
      fileParts: true,
      verbosity: true,
      safetyIdentifierField: 'user',
    },
  }),
  row({
    name: 'together',
    title: 'Together AI',
    baseUrl: 'https://api.together.xyz/v1',
    envKeys: ['TOGETHER_API_KEY', 'TOGETHER_AI_API_KEY'],
    quirks: { ...HOSTED, thinkTags: true, parallelToolCalls: false, logprobs: false },
  }),
  row({
    name: 'fireworks',
    title: 'Fireworks AI',
    baseUrl: 'https://api.fireworks.ai/inference/v1',
    envKeys: ['FIREWORKS_API_KEY'],
    quirks: { ...HOSTED, thinkTags: true, safetyIdentifierField: 'user' },
  }),
  row({
    name: 'cerebras',
    title: 'Cerebras',
    baseUrl: 'https://api.cerebras.ai/v1',
    envKeys: ['CEREBRAS_API_KEY'],
    quirks: {
      ...HOSTED,
      maxTokensField: 'max_completion_tokens',
      penalties: false,
      safetyIdentifierField: 'user',
      thinkTags: true,
    },
  }),
  row({
    name: 'cometapi',
    title: 'CometAPI',
    baseUrl: 'https://api.cometapi.com/v1',
    envKeys: ['COMETAPI_KEY', 'COMETAPI_API_KEY'],
    quirks: { ...HOSTED, thinkTags: true },
  }),
  row({
    name: 'huggingface',
    title: 'Hugging Face',
    baseUrl: 'https://router.huggingface.co/v1',
    envKeys: ['HF_TOKEN', 'HUGGINGFACE_API_KEY'],
    quirks: { ...HOSTED, thinkTags: true },
  }),
  row({
    name: 'nvidia',
    title: 'NVIDIA NIM',
    baseUrl: 'https://integrate.api.nvidia.com/v1',
    envKeys: ['NVIDIA_API_KEY'],
    quirks: { ...HOSTED, thinkTags: true },
  }),
  row({
    name: 'perplexity',
    title: 'Perplexity',
    baseUrl: 'https://api.perplexity.ai',
    envKeys: ['PERPLEXITY_API_KEY'],
    quirks: {
      ...HOSTED,
      streamOptions: false,
      thinkTags: true,
      toolChoice: false,
      parallelToolCalls: false,
      logprobs: false,
    },
  }),
  row({
    name: 'moonshot',
    title: 'Moonshot AI',
    baseUrl: 'https://api.moonshot.ai/v1',
    envKeys: ['MOONSHOT_API_KEY'],
    quirks: {
      ...HOSTED,
      reasoningEffort: null,
      logprobs: false,
      parallelToolCalls: false,
      reasoningInput: { field: 'reasoning_content', when: 'always' },
    },
  }),
  row({
    name: 'zai',
    title: 'Z.ai',
    baseUrl: 'https://api.z.ai/api/paas/v4',
    envKeys: ['ZAI_API_KEY', 'ZHIPU_API_KEY'],
    quirks: {
      ...HOSTED,
      reasoningEffort: null,
      structuredOutput: 'json_object',
      parallelToolCalls: false,
      toolChoice: false,
      logprobs: false,
      penalties: false,
    },
  }),
  row({
    name: 'ollama',
    title: 'Ollama',
    baseUrl: 'http://127.0.0.1:11434/v1',
    envKeys: ['OLLAMA_API_KEY'],
    envBaseUrls: ['OLLAMA_HOST'],
    local: true,
    quirks: {
      ...ENGINE,
      toolChoice: false,
      parallelToolCalls: false,
      reasoningEffort: { field: 'reasoning_effort', values: ['none', 'low', 'medium', 'high'] },
      reasoningInput: { field: 'reasoning', when: 'tool-calls' },
    },
  }),
  row({
    name: 'lmstudio',
    title: 'LM Studio',
    baseUrl: 'http://127.0.0.1:1234/v1',
    local: true,
    quirks: { ...ENGINE, parallelToolCalls: false, logprobs: false },
  }),
  row({
    name: 'vllm',
    title: 'vLLM',
    baseUrl: 'http://127.0.0.1:8000/v1',
    envKeys: ['VLLM_API_KEY'],
    local: true,
    quirks: ENGINE,
  }),
  row({
    name: 'llamacpp',
    title: 'llama.cpp server',
    baseUrl: 'http://127.0.0.1:8080/v1',
    envKeys: ['LLAMA_API_KEY'],
    local: true,
    quirks: { ...ENGINE, reasoningEffort: null },
  }),
  row({
    name: 'sglang',
    title: 'SGLang',
    baseUrl: 'http://127.0.0.1:30000/v1',
    envKeys: ['SGLANG_API_KEY'],
    local: true,
    quirks: ENGINE,
  }),
]

/** The quirks of a provider by name; an unknown name gets the defaults. `overrides` are the operator's word. */
export const quirksOf = (provider: string, overrides: Partial<Quirks> = {}): Quirks =>
  withQuirks(CHAT_PROVIDERS.find(({ name }) => name === provider)?.quirks ?? {}, overrides)
