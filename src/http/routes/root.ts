/** `GET /`: for people who open the address to see whether anything is there. */
import { json } from '../exchange.ts'
import type { PublicRoute } from '../route-table.ts'
import type { RoutePorts } from './route-ports.ts'

export const rootRoute = ({ version }: Pick<RoutePorts, 'version'>): PublicRoute => ({
  method: 'GET',
  pattern: '/',
  access: 'public',
  handle: async () =>
    json({
      name: 'antiphon',
      version,
      message: 'This is an API server. Point your client at this address followed by /v1.',
      base_url: '/v1',
      endpoints: { responses: '/v1/responses', models: '/v1/models', openapi: '/openapi.json', ready: '/ready' },
    }),
})
