/** What a deployment may be asked in a minute: requests and tokens, over a window that slides in steps of a second. */
import type { Clock } from '../lib/clock.ts'
import type { ModelTurn } from './model.ts'

export const LIMIT_WINDOW_MS = 60_000
const STEP_MS = 1000

export type MinuteLimits = {
  /** Requests a minute; null: no limit. */
  readonly rpm: number | null
  /** Tokens a minute, input and output together; null: no limit. */
  readonly tpm: number | null
}

export interface DeploymentLimits {
  /** Milliseconds until a turn of so many tokens has room; 0: now. */
  waitMs(tokens: number): number
  /** A call begins, believed to cost so many tokens. `settle` puts what it really cost in the place of that. */
  take(tokens: number): { settle(tokens: number): void }
}

type Step = { readonly number: number; requests: number; tokens: number }

/** Counts in steps of one second: bounded memory. */
export function createDeploymentLimits({ rpm, tpm }: MinuteLimits, clock: Clock): DeploymentLimits {
  let steps: Step[] = []
  const nowStep = () => Math.floor(clock.monotonic() / STEP_MS)
  const live = () => {
    const oldest = nowStep() - LIMIT_WINDOW_MS / STEP_MS
    if (steps[0] !== undefined && steps[0].number <= oldest) steps = steps.filter(({ number }) => number > oldest)
    return steps
  }
  const current = (): Step => {
    const number = nowStep()
    const last = live().at(-1)
    if (last?.number === number) return last
    const step = { number, requests: 0, tokens: 0 }
    steps.push(step)
    return step
  }
  /** Until `used` has fallen to `room`, by steps that leave the window. */
  const waitFor = (field: 'requests' | 'tokens', room: number): number => {
    let used = live().reduce((sum, step) => sum + step[field], 0)
    for (const step of steps) {
      if (used <= room) break
      used -= step[field]
      if (used <= room) return Math.max(1, step.number * STEP_MS + LIMIT_WINDOW_MS + STEP_MS - clock.monotonic())
    }
    return 0
  }
  return {
    waitMs: (tokens) =>
      Math.max(
        rpm === null ? 0 : waitFor('requests', rpm - 1),
        // A turn that is larger than the limit has to go through at some time: when nothing else does.
        tpm === null ? 0 : waitFor('tokens', Math.max(0, tpm - tokens)),
      ),
    take(tokens) {
      const step = current()
      step.requests += 1
      step.tokens += tokens
      let counted = tokens
      return {
        settle(real) {
          step.tokens += real - counted
          counted = real
        },
      }
    },
  }
}

const CHARS_PER_TOKEN = 4
/** An image or a file in the context, whose encoded length says nothing about its price. */
const TOKENS_PER_MEDIUM = 765

/** Rough and cheap; the provider's own count takes its place when the call has ended. */
export function roughTokens(turn: ModelTurn): number {
  let chars = turn.instructions?.length ?? 0
  let media = 0
  for (const item of turn.items) {
    if (item.type === 'function_call') chars += item.arguments.length
    else if (item.type === 'custom_tool_call') chars += item.input.length
    const parts = item.type === 'message' ? item.content : 'output' in item ? item.output : []
    if (typeof parts === 'string') chars += parts.length
    else {
      for (const part of parts) {
        if ('text' in part) chars += part.text.length
        else media += 1
      }
    }
  }
  return Math.ceil(chars / CHARS_PER_TOKEN) + media * TOKENS_PER_MEDIUM
}
