/** A refusal as a message on a socket: the status, and the envelope that HTTP has as its body. */
import type { ApiError } from '../../protocol/errors.ts'

/** What a message of the server carries besides its own fields. */
export type EventTags = { readonly stream_id?: string; readonly sequence_number?: number }

export const errorEvent = (error: ApiError, tags: EventTags = {}): string =>
  JSON.stringify({ type: 'error', status: error.status, ...error.toBody(), ...tags })
