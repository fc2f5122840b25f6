/**
 * Where the provider shall cache the prompt: at the client's own breakpoints and, when it gave a cache key, at the ends
 * of the tools, of the system prompt, and of the last two messages that were not the assistant's, so that the next turn
 * of the conversation finds this one.
 *
 * Invariant: at most `MAX_BREAKPOINTS` of them. The client's stand above ours, and of the client's the last ones.
 */
import type { AnthropicTool, CacheControl, Message, TextBlock } from './wire.ts'

export const MAX_BREAKPOINTS = 4

export type CacheHints = {
  readonly promptCacheKey: string | null
  readonly promptCacheRetention: string | null
}

type Prompt = {
  readonly tools: readonly AnthropicTool[]
  readonly system: readonly TextBlock[]
  readonly messages: readonly Message[]
}

type Block = { readonly type?: string; readonly cache_control?: unknown }

export function placeBreakpoints(prompt: Prompt, hints: CacheHints): Prompt {
  const control: CacheControl =
    hints.promptCacheRetention === '24h' ? { type: 'ephemeral', ttl: '1h' } : { type: 'ephemeral' }
  const own = ownBreakpoints(prompt).slice(-MAX_BREAKPOINTS)
  const chosen = new Set<Block>(own)
  if (hints.promptCacheKey) {
    for (const block of usualBreakpoints(prompt)) if (chosen.size < MAX_BREAKPOINTS) chosen.add(block)
  }
  const mark = <T extends Block>(block: T): T => {
    const { cache_control: _, ...rest } = block
    return (chosen.has(block) ? { ...rest, cache_control: control } : rest) as T
  }
  return {
    tools: prompt.tools.map(mark),
    system: prompt.system.map(mark),
    messages: prompt.messages.map((message) => ({ ...message, content: message.content.map(mark) }) as Message),
  }
}

const ownBreakpoints = ({ system, messages }: Prompt): readonly Block[] =>
  [...system, ...messages.flatMap(({ content }): readonly Block[] => content)].filter(
    (block) => block.cache_control !== undefined,
  )

/** The most useful first. */
function usualBreakpoints({ tools, system, messages }: Prompt): readonly Block[] {
  const ends = messages.flatMap(({ role, content }): readonly Block[] => (role === 'user' ? content.slice(-1) : []))
  return [ends.at(-1), system.at(-1), tools.at(-1), ends.at(-2)].filter((block) => block !== undefined)
}
