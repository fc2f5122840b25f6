/**
 * What the fake upstream answers, known to the load generator too, so that every reply can be checked whole.
 * The model's name chooses the reply; a provider prefix before it is ignored.
 */

export type ReplyName = 'plain' | 'stream' | 'paced' | 'slow' | 'calm' | Long
/** So many tokens, as `stream` sends them. */
type Long = `long-${number}`

export const isLong = (name: string): name is Long => /^long-\d+$/.test(name)

const WORDS = ['a', 'small', 'river', 'runs', 'past', 'the', 'old', 'stone', 'mill', 'and'] as const

export const words = (count: number): string[] => Array.from({ length: count }, (_, i) => `${WORDS[i % WORDS.length]} `)

/** 100 tokens in one chunk, as a fast model's reply arrives. */
export const PLAIN_TEXT = words(100).join('')
/** One chunk per token. */
export const STREAM_TOKENS: readonly string[] = words(256)
export const STREAM_TEXT = STREAM_TOKENS.join('')
/** Tokens sent one by one, each the upstream's clock in microseconds when it was sent. */
export const PACES = {
  paced: { tokens: 50, gapMs: 20 },
  slow: { tokens: 15, gapMs: 200 },
  calm: { tokens: 20, gapMs: 1000 },
} as const
export type Pace = (typeof PACES)[keyof typeof PACES]

/** Microseconds of a clock that all processes of the machine share. */
export const sharedMicros = (): number => Number(process.hrtime.bigint() / 1000n)

export function replyNameOf(model: string): ReplyName {
  const name = model.slice(model.lastIndexOf('/') + 1)
  if (name === 'plain' || name === 'stream' || name === 'paced' || name === 'slow' || name === 'calm' || isLong(name))
    return name
  throw new Error(`the fake upstream has no reply for the model "${model}"`)
}
