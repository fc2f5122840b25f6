/**
 * How long a project keeps what is said in it, and what a project that keeps nothing has to refuse.
 *
 * Zero retention: nothing that clients or models say is written, so `store: true` counts as false, and whatever can only
 * work from storage is refused by the name of its field. Texts and codes are those OpenAI answers organizations with
 * zero data retention, because agents recover on them.
 */
import { badRequest, previousResponseNotFound } from '../protocol/errors.ts'
import { type CreateResponseRequest, conversationIdOf } from '../protocol/request.ts'
import type { Caller } from './engine.ts'
import type { EngineSettings, ProjectRetention } from './settings.ts'

type Settings = Pick<EngineSettings, 'projects' | 'responseTtlSeconds'>

export const retentionOf = (projectId: string, settings: Settings): ProjectRetention =>
  settings.projects.get(projectId) ?? { zero: false, responseTtlSeconds: settings.responseTtlSeconds }

export const keepsNothing = ({ principal }: Pick<Caller, 'principal'>, settings: Settings): boolean =>
  retentionOf(principal.projectId, settings).zero

/** Refuses what a project that keeps nothing cannot do. What a connection remembers is not stored, so it may be used. */
export function refuseKept(
  request: Pick<CreateResponseRequest, 'conversation' | 'previous_response_id' | 'background'>,
  caller: Caller,
  settings: Settings,
): void {
  if (!keepsNothing(caller, settings)) return
  if (conversationIdOf(request) !== null) throw cannotUse('conversation', 'Conversation')
  if (request.background) throw cannotUse('background', 'Background mode')
  const previous = request.previous_response_id
  if (!previous || caller.memory?.get(previous)) return
  if (caller.memory) throw previousResponseNotFound(previous)
  throw cannotUse('previous_response_id', 'Previous response')
}

/** Refuses to make or change what has no other place than the store. `what`: as a sentence begins. */
export function refuseKeeping(what: string, caller: Caller, settings: Settings): void {
  if (!keepsNothing(caller, settings)) return
  throw badRequest(
    null,
    'unsupported_endpoint',
    `${what} cannot be stored in this project due to Zero Data Retention. Send what they would hold with each request.`,
  )
}

const cannotUse = (param: string, what: string) =>
  badRequest(
    param,
    'unsupported_parameter',
    `${what} cannot be used for this organization due to Zero Data Retention. Send the whole context as 'input', and ` +
      "'store': false.",
  )
