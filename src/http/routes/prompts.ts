/** `/v1/prompts`: prompt templates and their versions. */
import { promptNotFound } from '../../engine/apply-prompt.ts'
import { type AuthorizedCall, json } from '../exchange.ts'
import { callerOnce } from '../idempotency-key.ts'
import { isPlainId, pathParam, readPage } from '../query.ts'
import type { ProtectedRoute } from '../route-table.ts'
import type { RoutePorts } from './route-ports.ts'

type Ports = Pick<RoutePorts, 'engine' | 'validate'>

export const promptRoutes = ({ engine, validate }: Ports): readonly ProtectedRoute[] => [
  {
    method: 'POST',
    pattern: '/v1/prompts',
    access: 'responses',
    body: 'json',
    handle: async (call) => json(await engine.createPrompt(validate.createPrompt(call.body), callerOnce(call))),
  },
  {
    method: 'GET',
    pattern: '/v1/prompts',
    access: 'read',
    body: 'none',
    handle: async ({ query, caller }) => json(await engine.listPrompts(readPage(query), caller)),
  },
  {
    method: 'GET',
    pattern: '/v1/prompts/:id',
    access: 'read',
    body: 'none',
    handle: async (call) => json(await engine.getPrompt(idOf(call), null, call.caller)),
  },
  {
    method: 'GET',
    pattern: '/v1/prompts/:id/versions/:version',
    access: 'read',
    body: 'none',
    handle: async (call) => json(await engine.getPrompt(idOf(call), pathParam(call.params, 'version'), call.caller)),
  },
  {
    method: 'POST',
    pattern: '/v1/prompts/:id',
    access: 'responses',
    body: 'json',
    async handle(call) {
      const id = idOf(call)
      return json(await engine.updatePrompt(id, validate.updatePrompt(call.body), callerOnce(call, id)))
    },
  },
  {
    method: 'DELETE',
    pattern: '/v1/prompts/:id',
    access: 'responses',
    body: 'none',
    async handle(call) {
      const id = idOf(call)
      await engine.deletePrompt(id, call.caller)
      return json({ id, object: 'prompt.deleted', deleted: true })
    },
  },
]

function idOf({ params }: AuthorizedCall): string {
  const id = pathParam(params, 'id')
  if (!isPlainId(id)) throw promptNotFound(id, null)
  return id
}
