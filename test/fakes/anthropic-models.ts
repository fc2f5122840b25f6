/** What each generation of the models takes, as the fake holds its clients to it. */
import { isJson, type Json } from './chat-validate.ts'

type Traits = {
  readonly maxTokens: number
  readonly thinking: readonly string[]
  readonly efforts: readonly string[]
  readonly sampling: 'any' | 'one' | 'none'
  readonly forcedTools: boolean
  readonly systemMessages: boolean
  readonly structuredOutput: boolean
  /** Thinking is there even when nobody asks. */
  readonly thinksByItself: boolean
  /** A thinking block is refused after a change before it. */
  readonly bound: boolean
}

const FIVE = ['low', 'medium', 'high', 'xhigh', 'max']
const NEW: Traits = {
  maxTokens: 128_000,
  thinking: ['adaptive', 'disabled'],
  efforts: FIVE,
  sampling: 'none',
  forcedTools: true,
  systemMessages: false,
  structuredOutput: true,
  thinksByItself: true,
  bound: false,
}

export const FAKE_MODELS: Readonly<Record<string, Traits>> = {
  'claude-opus-5-5': { ...NEW, thinking: ['adaptive'], forcedTools: false, systemMessages: true, bound: true },
  'claude-sonnet-5': NEW,
  'claude-opus-4-8': { ...NEW, systemMessages: true, thinksByItself: false },
  'claude-sonnet-4-6': {
    ...NEW,
    efforts: ['low', 'medium', 'high', 'max'],
    sampling: 'one',
    thinksByItself: false,
  },
  'claude-sonnet-4-5': {
    ...NEW,
    maxTokens: 64_000,
    thinking: ['enabled', 'disabled'],
    efforts: [],
    sampling: 'one',
    thinksByItself: false,
  },
  'claude-3-5-haiku': {
    ...NEW,
    maxTokens: 8192,
    thinking: [],
    efforts: [],
    sampling: 'any',
    structuredOutput: false,
    thinksByItself: false,
  },
}

export const traitsOf = (model: string): Traits => FAKE_MODELS[model] ?? NEW

/** Null when the combination is taken. */
export function checkThinkingConfig(body: Json): string | null {
  const { thinking, tool_choice: choice } = body
  if (thinking === undefined) return null
  if (!isJson(thinking)) return 'thinking: Input should be an object'
  const type = String(thinking.type)
  if (!traitsOf(String(body.model)).thinking.includes(type)) {
    return `"thinking.type.${type}" is not supported for this model.`
  }
  if (type !== 'enabled') return null
  const budget = Number(thinking.budget_tokens)
  if (!(budget >= 1024)) return 'thinking.enabled.budget_tokens: Input should be greater than or equal to 1024'
  if (body.max_tokens !== undefined && budget >= Number(body.max_tokens)) {
    return '`max_tokens` must be greater than `thinking.budget_tokens`.'
  }
  if (isJson(choice) && (choice.type === 'any' || choice.type === 'tool')) {
    return 'Thinking may not be enabled when tool_choice forces tool use.'
  }
  return checkLoop(body.messages)
}

/** A loop of calls that goes on with thinking must have begun with it. */
function checkLoop(messages: unknown): string | null {
  const [before, last] = (Array.isArray(messages) ? messages : []).slice(-2)
  const first = firstBlock(before)
  if (firstBlock(last)?.type !== 'tool_result' || first === null) return null
  if (first.type === 'thinking' || first.type === 'redacted_thinking') return null
  return `messages.1.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${first.type}\`.`
}

const firstBlock = (message: unknown): Json | null => {
  const [block] = isJson(message) && Array.isArray(message.content) ? message.content : []
  return isJson(block) ? block : null
}
