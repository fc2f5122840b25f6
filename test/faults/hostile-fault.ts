/** The form of a scripted misbehaviour, and short ways to write one. */
import type { WireReply } from './hostile-wire.ts'

/** In every body of an upstream's 5xx, and never in a reply of ours. */
export const CANARY = 'CANARY-of-the-upstream'
/** What upstreams are known to put into their messages. */
export const LEAK = 'key sk-live-abcdef0123456789 at http://10.0.0.7:9000/internal'

export type Outcome =
  /** The reply is an answer. */
  | { readonly end: 'completed' | 'incomplete'; readonly text?: string }
  /** JSON: this status and code. A stream: `response.failed`. */
  | { readonly end: 'failed'; readonly status: number; readonly code: string | null }

export type HostileFault = {
  readonly play: (reply: WireReply) => Promise<void>
  readonly outcome: Outcome
  /** Upstream calls: exactly one, or up to three where nothing was accepted. */
  readonly calls: 'one' | 'retried'
  /** The clock that must end it; 0 where it ends by itself. */
  readonly clock: keyof UpstreamTimes | null
  /** Too long or too large for every test run. */
  readonly fullOnly?: boolean
  /** Nothing listens where the call goes: it never arrives. */
  readonly unreached?: boolean
}

export type Faults = Readonly<Record<string, HostileFault>>

/** How one provider API says what all of them say, so that one fault can be played on each of them. */
export type FaultWire = {
  /** What comes before the first piece of text. */
  readonly start: string
  readonly text: (content: string) => string
  /** How a healthy reply ends. */
  readonly end: string
  /** Why the model stopped, where more may follow it; null where the same event is the end. */
  readonly reason: string | null
  /** The body of a refusal. */
  readonly error: (status: number, message: string) => string
}

/** In real milliseconds. */
export type UpstreamTimes = { readonly firstByte: number; readonly idle: number; readonly whole: number }

export const failed = (status: number, code: string | null = 'server_error'): Outcome => ({
  end: 'failed',
  status,
  code,
})
export const fault = (
  play: HostileFault['play'],
  outcome: Outcome,
  calls: HostileFault['calls'] = 'one',
  clock: HostileFault['clock'] = null,
): HostileFault => ({ play, outcome, calls, clock })

export const errorBody = (message: string) => JSON.stringify({ error: { message, type: 'some_error', code: null } })
/** A chunked stream of these pieces, whole. */
export const stream =
  (...pieces: readonly (string | Uint8Array)[]) =>
  async (reply: WireReply) => {
    await reply.open()
    for (const piece of pieces) await reply.chunk(piece)
    await reply.close()
  }
export const completed = (answer?: string): Outcome => ({
  end: 'completed',
  ...(answer !== undefined && { text: answer }),
})
export const garbage = failed(502)
