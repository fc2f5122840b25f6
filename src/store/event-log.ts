/**
 * PORT: the events of responses that may be streamed again, as their readers see them.
 *
 * The laws, held by `store-events.contract.ts` for every adapter:
 * - A log has no gap and no duplicate: from any cursor it gives exactly the suffix, to any number of readers (law 8).
 * - A wake-up carries no data, and may be lost: whoever waits looks again after a while. Asked for before reading, it
 *   tells of everything that was written after that.
 * - What is behind the boundary may still be taken back, unless a reader has said that it is about to tell it.
 */
import type { ResponseEvent } from '../protocol/events.ts'

export interface EventLog {
  /** Events with a higher number than `after`, oldest first; about as many as one answer of the store should hold. */
  read(responseId: string, after: number): Promise<EventPage>
  /**
   * To be called, and waited for, before unsettled events are told to anybody. False when they were taken back
   * meanwhile, or the run has ended: read them again.
   */
  markSeen(responseId: string, unsettled: Unsettled): Promise<boolean>
  /** Resolves at the next change of the response or its log; perhaps never, when another process makes it. */
  wakeUp(responseId: string): Promise<void>
}

export type EventPage =
  | {
      readonly type: 'events'
      readonly events: readonly ResponseEvent[]
      /** The run has ended, and no event follows these. */
      readonly isLast: boolean
      /** Some of these events may be taken back; null: none. */
      readonly unsettled: Unsettled | null
    }
  /** The response is unknown, has no log, or its log was kept long enough. */
  | { readonly type: 'unknown' | 'not-kept' | 'expired' }

export type Unsettled = {
  /** Of the lease under which they were written. */
  readonly token: number
  readonly boundary: number
}
