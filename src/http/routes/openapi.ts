/** `GET /openapi.json`. */
import type { PublicRoute } from '../route-table.ts'
import type { RoutePorts } from './route-ports.ts'

export function openapiRoute({ openapiDocument }: Pick<RoutePorts, 'openapiDocument'>): PublicRoute {
  let text: Promise<string> | null = null
  return {
    method: 'GET',
    pattern: '/openapi.json',
    access: 'public',
    async handle() {
      text ??= openapiDocument().then((document) => JSON.stringify(document))
      return { type: 'text', contentType: 'application/json; charset=utf-8', text: await text }
    },
  }
}
