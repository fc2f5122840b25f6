import { compactResponse } from './compact-response.ts'
import { countInputTokens } from './count-input-tokens.ts'
import { type CreateDeps, createResponse } from './create-response.ts'
import type { Engine } from './engine.ts'
import { cancelResponse, deleteResponse, getResponse, listInputItems } from './read-responses.ts'

/** The engine behind the port of the same name: each function is a use case in a file of its own. */
export const createEngine = (deps: CreateDeps): Engine => ({
  createResponse: (request, caller) => createResponse(request, caller, deps),
  getResponse: (id, caller) => getResponse(id, caller, deps),
  deleteResponse: (id, caller) => deleteResponse(id, caller, deps),
  cancelResponse: (id, caller) => cancelResponse(id, caller, deps),
  listInputItems: (id, page, caller) => listInputItems(id, page, caller, deps),
  countInputTokens: (request, caller) => countInputTokens(request, caller, deps),
  compactResponse: (request, caller) => compactResponse(request, caller, deps),
})
