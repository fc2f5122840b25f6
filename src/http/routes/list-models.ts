/** `GET /v1/models`: `data` for OpenAI's clients, those that answer prompts also under `models` for Codex. */
import { json } from '../exchange.ts'
import type { ProtectedRoute } from '../route-table.ts'
import { toCodexModel, toEmbedderObject, toModelObject } from './model-objects.ts'
import type { RoutePorts } from './route-ports.ts'

export const listModels = ({ catalog, embedders }: Pick<RoutePorts, 'catalog' | 'embedders'>): ProtectedRoute => ({
  method: 'GET',
  pattern: '/v1/models',
  access: 'read',
  body: 'none',
  async handle() {
    const [entries, embedding] = await Promise.all([catalog.list(), embedders.list()])
    const ofEmbeddings = new Set(embedding.map(({ id }) => id))
    const models = entries.filter(({ id }) => !ofEmbeddings.has(id))
    const data = [...models.map(toModelObject), ...embedding.map(toEmbedderObject)]
    return json({ object: 'list', data, models: models.map(toCodexModel) })
  },
})
