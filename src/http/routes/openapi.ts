/** `GET /openapi.json`. */
import type { PublicRoute } from '../route-table.ts'
import type { RoutePorts } from './route-ports.ts'

export function openapiRoute({ openapiDocument }: Pick<RoutePorts, 'openapiDocument'>): PublicRoute {
  let text: string | null = null
  return {
    method: 'GET',
    pattern: '/openapi.json',
    access: 'public',
    async handle() {
      text ??= JSON.stringify(openapiDocument)
      return { type: 'text', contentType: 'application/json; charset=utf-8', text }
    },
  }
}
