/** What a request is answered with, cut to its limits and counted. */
import { answerByRules, type ChatAnswer } from './chat-rules.ts'
import type { ScriptedReply } from './chat-script.ts'
import { type ChatReplyPlan, tokensOf } from './chat-shapes.ts'
import { isJson, type Json } from './chat-validate.ts'

export function planReply(
  body: Json,
  reply: ScriptedReply,
  id: string,
  cachedTokens: (prompt: string) => number,
): ChatReplyPlan {
  const full: ChatAnswer = { ...answerByRules(body), ...reply.answer }
  const limit = numberField(body.max_completion_tokens) ?? numberField(body.max_tokens) ?? Number.POSITIVE_INFINITY
  const { answer, cut, tokens } = limitAnswer(stopAtSequences(full, body.stop), limit)
  const prompt = JSON.stringify(body.messages)
  const promptTokens = tokensOf(prompt).length
  const options = isJson(body.stream_options) ? body.stream_options : {}
  return {
    id,
    model: String(body.model),
    answer,
    finish: cut ? 'length' : answer.calls.length > 0 ? 'tool_calls' : 'stop',
    usage: {
      prompt: promptTokens,
      cached: Math.min(promptTokens, cachedTokens(prompt)),
      completion: tokens,
      reasoning: tokensOf(answer.reasoning).length,
    },
    includeUsage: options.include_usage === true && reply.usage !== false,
    topLogprobs: body.logprobs === true ? (numberField(body.top_logprobs) ?? 0) : null,
  }
}

const numberField = (value: unknown): number | null => (typeof value === 'number' ? value : null)

function stopAtSequences(answer: ChatAnswer, stop: unknown): ChatAnswer {
  const sequences = (Array.isArray(stop) ? stop : [stop]).filter((word) => typeof word === 'string' && word !== '')
  const ends = sequences.map((word) => answer.text.indexOf(word)).filter((at) => at >= 0)
  return ends.length === 0 ? answer : { ...answer, text: answer.text.slice(0, Math.min(...ends)) }
}

/** Spends the budget in the order a model writes: reasoning, text or refusal, the arguments of the calls. */
function limitAnswer(answer: ChatAnswer, limit: number): { answer: ChatAnswer; cut: boolean; tokens: number } {
  let spent = 0
  let cut = false
  const take = (text: string): string => {
    const tokens = tokensOf(text)
    const taken = tokens.slice(0, Math.max(0, limit - spent))
    spent += taken.length
    cut ||= taken.length < tokens.length
    return taken.join('')
  }
  const reasoning = take(answer.reasoning)
  const text = take(answer.text)
  const refusal = take(answer.refusal)
  const calls = answer.calls.flatMap((call) => (cut ? [] : [{ ...call, input: take(call.input) }]))
  return { answer: { reasoning, text, refusal, calls }, cut, tokens: spent }
}

/** As many prompts are remembered for the count of cached tokens. */
const MAX_PROMPTS = 16

/** Counts the tokens of a prompt that it shares with the start of an earlier one, in steps of 16 as providers do. */
export function createPromptCache(): (prompt: string) => number {
  const prompts: string[] = []
  return (prompt) => {
    const shared = prompts.map((before) => commonPrefix(before, prompt))
    prompts.push(prompt)
    if (prompts.length > MAX_PROMPTS) prompts.shift()
    const tokens = tokensOf(prompt.slice(0, Math.max(0, ...shared))).length
    return tokens - (tokens % 16)
  }
}

const commonPrefix = (a: string, b: string): number => {
  const end = Math.min(a.length, b.length)
  let at = 0
  while (at < end && a.charCodeAt(at) === b.charCodeAt(at)) at++
  return at
}
