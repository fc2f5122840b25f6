import { cancelResponse, deleteResponse } from './cancel-response.ts'
import { compactResponse } from './compact-response.ts'
import { createConversations } from './conversations.ts'
import { countInputTokens } from './count-input-tokens.ts'
import type { CreateDeps } from './create-deps.ts'
import { createEmbeddings } from './create-embeddings.ts'
import { createResponse } from './create-response.ts'
import type { Engine } from './engine.ts'
import { createFiles, type FileDeps } from './files.ts'
import { createLateWrites } from './late-writes.ts'
import { createOpenCalls } from './open-calls.ts'
import { createOwnRuns } from './own-runs.ts'
import { prepareResponse } from './prepare-response.ts'
import { createPrompt, deletePrompt, getPrompt, listPrompts, updatePrompt } from './prompts.ts'
import { getResponse, listInputItems, streamResponse } from './read-responses.ts'
import { runJob } from './run-job.ts'
import { createFlushTicks } from './run-log.ts'
import { createUploads } from './uploads.ts'

export type EngineDeps = Omit<CreateDeps, 'lateWrites' | 'openCalls' | 'ownRuns' | 'flushTicks'> & FileDeps

/** The engine behind the port of the same name: each function is a use case in a file of its own. */
export function createEngine(given: EngineDeps): Engine {
  const onDropped = (error: unknown) => given.telemetry.failed({ requestId: null, where: 'late-write', error })
  const deps: CreateDeps & FileDeps = {
    ...given,
    lateWrites: createLateWrites({ clock: given.clock, onDropped }),
    openCalls: createOpenCalls(given.clock),
    ownRuns: createOwnRuns(),
    flushTicks: createFlushTicks(given.clock),
  }
  return {
    createResponse: (request, caller) => createResponse(request, caller, deps),
    prepareResponse: (request, caller) => createResponse(request, caller, deps, prepareResponse),
    streamResponse: (id, after, caller) => streamResponse(id, after, caller, deps),
    runJob: (job, control) => runJob(job, control, deps),
    getResponse: (id, caller) => getResponse(id, caller, deps),
    deleteResponse: (id, caller) => deleteResponse(id, caller, deps),
    cancelResponse: (id, caller) => cancelResponse(id, caller, deps),
    listInputItems: (id, page, caller) => listInputItems(id, page, caller, deps),
    countInputTokens: (request, caller) => countInputTokens(request, caller, deps),
    createEmbeddings: (request, caller) => createEmbeddings(request, caller, deps),
    compactResponse: (request, caller) => compactResponse(request, caller, deps),
    createPrompt: (request, caller) => createPrompt(request, caller, deps),
    updatePrompt: (id, request, caller) => updatePrompt(id, request, caller, deps),
    getPrompt: (id, version, caller) => getPrompt(id, version, caller, deps),
    listPrompts: (page, caller) => listPrompts(page, caller, deps),
    deletePrompt: (id, caller) => deletePrompt(id, caller, deps),
    conversations: createConversations(deps),
    files: createFiles(deps),
    uploads: createUploads(deps),
  }
}
