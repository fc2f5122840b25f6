/**
 * What a model says and what it is told, in words that belong to no provider. The wires beside this file write the
 * first and read the second in their own bytes, so that one conversation can be held with every provider.
 *
 * The wires are written from the providers' documentation, apart from the adapters: neither may copy a mistake of the
 * other.
 */
export type Said =
  | { readonly text: string }
  /** `signature`: opaque state that must come back with what follows it. */
  | { readonly thought: string; readonly signature: string }
  | { readonly call: string; readonly input: Readonly<Record<string, unknown>> }

export type Spent = {
  /** All tokens of the prompt, cached ones among them. */
  readonly input: number
  readonly cached: number
  /** All tokens of the answer, those of thoughts among them. */
  readonly output: number
  readonly thoughts: number
}

export type Failure = 'overloaded' | 'rate_limit' | 'bad_key' | 'no_model' | 'too_long' | 'invalid' | 'broken'

export type Reply =
  | {
      readonly says: readonly Said[]
      readonly ends?: 'done' | 'length' | 'filtered'
      readonly spent?: Spent
    }
  | { readonly fails: Failure }

export const SPENT: Spent = { input: 20, cached: 0, output: 10, thoughts: 0 }

export type HeardPart =
  | { readonly from: 'user' | 'model'; readonly text: string }
  | { readonly from: 'user' | 'tool'; readonly image: string }
  | { readonly from: 'user' | 'tool'; readonly file: string }
  | { readonly from: 'model'; readonly thought: string }
  | { readonly from: 'model'; readonly call: string; readonly input: unknown }
  | { readonly from: 'tool'; readonly result: string }

/** A request as the provider understood it. */
export type Heard = {
  readonly model: string
  readonly system: string
  readonly parts: readonly HeardPart[]
  readonly tools: readonly { readonly name: string; readonly schema: unknown }[]
  /** A tool's name: that one alone. */
  readonly choice: 'auto' | 'none' | 'required' | { readonly only: readonly string[] }
  readonly schema: unknown
  readonly maxTokens: number | null
  readonly temperature: number | null
  readonly stop: readonly string[]
}

export type Incoming = {
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Readonly<Record<string, unknown>>
}

export type Outgoing = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A provider's wire format, both ways. */
export type Wire = {
  readonly name: string
  /** For `wire_api` of the configuration. */
  readonly api: 'chat' | 'responses' | 'anthropic' | 'gemini'
  /** Behind the server's address. */
  readonly base: string
  /** How a thought's signature looks on the wire when it comes back; null: this API has no place for it. */
  signed(said: Extract<Said, { thought: string }>): string | null
  /** A filter's stop is told in words, which the client gets as a refusal beside the reason. */
  readonly declines: boolean
  /** Whether the request asks for an answer of the model. */
  asks(path: string): boolean
  hear(incoming: Incoming): Heard
  /** A streamed answer. */
  say(reply: Extract<Reply, { says: readonly Said[] }>, incoming: Incoming): Outgoing
  fail(failure: Failure): Outgoing
  /** Requests that are no turns: lists of models, counts of tokens. */
  other(incoming: Incoming): Outgoing
}

// ---- for the wires ----------------------------------------------------------------------------------------------

export const json = (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Outgoing => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(value),
})

export const eventStream = (frames: readonly string[]): Outgoing => ({
  status: 200,
  headers: { 'content-type': 'text/event-stream' },
  body: frames.join(''),
})

/** A text as models send it: word by word, a single word in two pieces. */
export function pieces(text: string): readonly string[] {
  const words = text.split(/(?<= )/)
  if (words.length > 1) return words
  const chars = [...text]
  const half = Math.ceil(chars.length / 2)
  return [chars.slice(0, half).join(''), chars.slice(half).join('')].filter((piece) => piece !== '')
}

export const list = (value: unknown): readonly Record<string, unknown>[] => (Array.isArray(value) ? value : [])
export const fields = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
export const numberOrNull = (value: unknown) => (typeof value === 'number' ? value : null)
