/** SINK: a run as one chat completion. */
import type { RunStream } from '../engine/run-event.ts'
import { type ChatCompletion, toChatCompletion as fromResponse } from '../protocol/chat/completion.ts'
import { toJson } from './to-json.ts'

/** Throws the `ApiError` of a failed run. */
export const toChatCompletion = async (events: RunStream): Promise<ChatCompletion> => fromResponse(await toJson(events))
