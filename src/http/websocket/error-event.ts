/**
 * A refusal as a message on a socket: the status, and the envelope that HTTP has as its body. Open Responses wants a code
 * in it, so an error without one has its type there.
 */
import type { ApiError } from '../../protocol/errors.ts'

/** What a message of the server carries besides its own fields. */
export type EventTags = { readonly stream_id?: string; readonly sequence_number?: number }

export function errorEvent(error: ApiError, tags: EventTags = {}): string {
  const { error: told } = error.toBody()
  return JSON.stringify({
    type: 'error',
    status: error.status,
    error: { ...told, code: told.code ?? told.type },
    ...tags,
  })
}
