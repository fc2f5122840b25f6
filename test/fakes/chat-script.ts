/** How a test says what the scripted upstream shall answer, and what it sees of a request. */
import type { IncomingMessage } from 'node:http'
import type { ChatAnswer } from './chat-rules.ts'
import type { ChatShape } from './chat-shapes.ts'
import type { ChatRefusal } from './chat-validate.ts'

export type { ChatRefusal } from './chat-validate.ts'

/** How one request is answered. What is left out is as a healthy server has it. */
export type ScriptedReply = {
  /** An answer in place of the rules'. */
  readonly answer?: Partial<ChatAnswer>
  /** The wire bytes themselves in place of any answer. */
  readonly wire?: string | Uint8Array
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly shape?: ChatShape
  /** One JSON object although a stream was asked for. */
  readonly plainJson?: boolean
  readonly usage?: boolean
  /** Bytes per write; by default one write per event. */
  readonly split?: number
  /** Milliseconds between writes. */
  readonly delayMs?: number
  /** After that many bytes the reply stops short: reset, or ended as if it were whole, or silent for ever. */
  readonly stopAt?: number
  readonly stopBy?: 'reset' | 'end' | 'hang'
  /** Never answers, not even with a status line. */
  readonly silent?: boolean
  /** Keep-alive comments while hanging, in milliseconds. */
  readonly commentEveryMs?: number
}

/** For each request the next entry, or what the function says; without one the rules answer. */
export type ChatScript =
  | readonly ScriptedReply[]
  | ((request: ChatUpstreamRequest, index: number) => ScriptedReply | null | undefined)

export type ChatUpstreamRequest = {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  /** Parsed JSON; undefined when it was none. */
  readonly body: unknown
  readonly raw: string
  /** What a strict server had against it. */
  refused: ChatRefusal | null
  /** The client closed its connection before the reply was over. */
  closedEarly: boolean
  /** The reply was written to its end. */
  replied: boolean
}

export type ChatUpstreamOptions = {
  readonly script?: ChatScript
  readonly shape?: ChatShape
  /** Refuse every other key with 401. */
  readonly apiKey?: string
  /** Another API in the place of Chat Completions: what is wrong with a request, or null. It answers by script alone. */
  readonly check?: (request: ChatUpstreamRequest) => ChatRefusal | null
  /** Top-level fields taken besides OpenAI's. */
  readonly extraFields?: readonly string[]
  readonly models?: readonly string[]
  readonly port?: number
  /** Keep the requests, by default; a load test does not want them. */
  readonly record?: boolean
}
