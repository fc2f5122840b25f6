/** `GET /v1/models`: `data` for OpenAI's clients, the same models under `models` for Codex. */
import { json } from '../exchange.ts'
import type { ProtectedRoute } from '../route-table.ts'
import { toCodexModel, toModelObject } from './model-objects.ts'
import type { RoutePorts } from './route-ports.ts'

export const listModels = ({ catalog }: Pick<RoutePorts, 'catalog'>): ProtectedRoute => ({
  method: 'GET',
  pattern: '/v1/models',
  access: 'read',
  body: 'none',
  async handle() {
    const entries = await catalog.list()
    return json({ object: 'list', data: entries.map(toModelObject), models: entries.map(toCodexModel) })
  },
})
