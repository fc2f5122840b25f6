/**
 * PORT: what the outside may know of a run. One function per business event; fields are an allow-list: never prompt
 * text, keys, URLs or bodies (law 20).
 */
import type { ModelAttempt, ModelErrorKind } from '../models/model.ts'
import type { ResponseStatus, Usage } from '../protocol/response.ts'

export interface Telemetry {
  requestFinished(event: {
    readonly requestId: string
    readonly method: string
    /** The route's pattern, never the raw path. */
    readonly route: string
    readonly status: number
    readonly durationMs: number
    readonly projectId: string | null
    readonly keyId: string | null
    readonly errorCode: string | null
    readonly clientRequestId: string | null
    readonly sessionId: string | null
    /** How many things of the request were left out or changed; absent: none, or the edge does not count them. */
    readonly warnings?: number
  }): void
  responseFinished(event: {
    readonly requestId: string
    readonly responseId: string
    readonly model: string
    readonly provider: string
    readonly status: ResponseStatus
    readonly stream: boolean
    readonly background?: boolean
    readonly durationMs: number
    /** Time of the run not spent waiting for the upstream. */
    readonly overheadMs: number
    readonly firstTokenMs: number | null
    readonly usage: Usage | null
    /** US dollars; null where a price is unknown. */
    readonly costUsd: number | null
  }): void
  modelAttempted(event: { readonly requestId: string; readonly attempt: ModelAttempt }): void
  /** A call is in the ledger. */
  callPriced(event: {
    readonly provider: string
    readonly model: string
    /** Null where a price is unknown. */
    readonly costUsd: number | null
    readonly usage: Usage
  }): void
  toolCalled(event: { readonly tool: string; readonly status: string }): void
  rateLimited(event: { readonly reason: string }): void
  /** A request asked for what its provider does not take; it was left out or done here. */
  unsupportedParam(event: { readonly requestId: string; readonly param: string; readonly provider: string }): void
  /** A deployment failed, and another one is asked. */
  fellBack(event: {
    readonly requestId: string
    readonly from: { readonly provider: string; readonly model: string }
    readonly to: { readonly provider: string; readonly model: string }
    readonly reason: ModelErrorKind
  }): void
  streamOpened(): void
  streamClosed(): void
  /** An unforeseen failure, with its cause for the log. */
  failed(event: { readonly requestId: string | null; readonly where: string; readonly error: unknown }): void
}

/** For tests and library use: keeps nothing. */
export const silentTelemetry: Telemetry = {
  requestFinished() {},
  responseFinished() {},
  modelAttempted() {},
  callPriced() {},
  toolCalled() {},
  rateLimited() {},
  unsupportedParam() {},
  fellBack() {},
  streamOpened() {},
  streamClosed() {},
  failed() {},
}
