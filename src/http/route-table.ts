/** The inventory of what can be called, deny by default: a route without a known `access` does not build. */
import type { Principal } from '../auth/principal.ts'
import { ApiError } from '../protocol/errors.ts'
import type { Answer, AuthorizedCall, Call } from './exchange.ts'
import { compilePattern, countParams, type Params } from './path-pattern.ts'

export type Method = 'GET' | 'POST' | 'DELETE'
export type Access = 'responses' | 'read' | 'files' | 'read-files' | 'admin'

type RouteBase = { readonly method: Method; readonly pattern: string }
export type PublicRoute = RouteBase & { readonly access: 'public'; handle(call: Call): Promise<Answer> }
export type ProtectedRoute = RouteBase & {
  readonly access: Access
  /**
   * `json`: at most `HttpLimits.bodyBytes`, parsed, and `optional-json` also absent; `form`: read by the handler as it
   * arrives, within a time of its own; `none`: not read at all.
   */
  readonly body: 'json' | 'optional-json' | 'form' | 'none'
  handle(call: AuthorizedCall): Promise<Answer>
}
export type Route = PublicRoute | ProtectedRoute

export type RouteTable = {
  readonly routes: readonly Route[]
  /** `segments`: of the path, decoded. HEAD is answered by the route of GET. Null when nothing is there. */
  find(method: string, segments: readonly string[]): FoundRoute | null
  /** The methods of a path, for `Allow`; empty when nothing is there. */
  allowed(segments: readonly string[]): readonly string[]
}
export type FoundRoute = { readonly route: Route; readonly params: Params }

/**
 * Which scopes open a route, the plainest one first. A key that may create responses may also read them, and one that may
 * send files reads files; `admin` stands for itself alone.
 */
const OPENED_BY: Readonly<Record<Access, ReadonlySet<string>>> = {
  responses: new Set(['responses']),
  read: new Set(['read', 'responses']),
  files: new Set(['files']),
  'read-files': new Set(['files', 'read']),
  admin: new Set(['admin']),
}

/** Throws when a route says not who may call it, or is there twice. */
export function buildRouteTable(routes: readonly Route[]): RouteTable {
  const seen = new Set<string>()
  for (const route of routes) {
    const name = `${route.method} ${route.pattern}`
    if (route.access !== 'public' && !Object.hasOwn(OPENED_BY, String(route.access))) {
      throw new Error(`route ${name} has no access rule`)
    }
    if (seen.has(name)) throw new Error(`route ${name} is declared twice`)
    seen.add(name)
  }
  const compiled = routes.map((route) => ({ route, match: compilePattern(route.pattern) }))
  // A list is fast enough: few routes share a method, and most differ in their number of segments.
  const byMethod = Map.groupBy(
    compiled.toSorted((a, b) => countParams(a.route.pattern) - countParams(b.route.pattern)),
    ({ route }): string => route.method,
  )
  return {
    routes,
    find(method, segments) {
      for (const { route, match } of byMethod.get(method === 'HEAD' ? 'GET' : method) ?? []) {
        const params = match(segments)
        if (params !== null) return { route, params }
      }
      return null
    },
    allowed(segments) {
      const methods = compiled.filter(({ match }) => match(segments) !== null).map(({ route }) => route.method)
      if (methods.length === 0) return []
      const withHead = methods.includes('GET') ? ['GET', 'HEAD', ...methods.filter((name) => name !== 'GET')] : methods
      return [...withHead, 'OPTIONS']
    },
  }
}

/** One line per route, for the documentation and for the test that holds the inventory. */
export const describeRoutes = (table: RouteTable): readonly string[] =>
  table.routes.map((route) => {
    const body = route.access === 'public' ? 'none' : route.body
    return `${route.method} ${route.pattern} access=${route.access} body=${body}`
  })

/** Throws `ApiError` 403 when the key has none of the scopes that open the route. */
export function requireScope(principal: Principal, access: Access): void {
  const opening = OPENED_BY[access]
  for (const owned of principal.scopes) if (opening.has(owned)) return
  const [scope] = opening
  throw new ApiError({
    status: 403,
    code: 'insufficient_permissions',
    message: `You have insufficient permissions for this operation. Missing scopes: ${scope}.`,
  })
}
