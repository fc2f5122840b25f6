/** `GET /version`. */
import { json } from '../exchange.ts'
import type { PublicRoute } from '../route-table.ts'
import type { RoutePorts } from './route-ports.ts'

export const versionRoute = ({ version }: Pick<RoutePorts, 'version'>): PublicRoute => ({
  method: 'GET',
  pattern: '/version',
  access: 'public',
  handle: async () => json({ name: 'antiphon', version }),
})
