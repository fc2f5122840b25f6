/**
 * The inventory of what can be called, deny by default: a route without a known `access` does not build. Patterns are
 * the router's: `:name` is one segment, a final `*` the rest of the path.
 */
import type { Principal } from '../auth/principal.ts'
import { ApiError } from '../protocol/errors.ts'
import type { Answer, AuthorizedCall, Call } from './exchange.ts'

export type Method = 'GET' | 'POST' | 'DELETE'
export type Scope = 'responses' | 'read' | 'admin'

type RouteBase = { readonly method: Method; readonly pattern: string }
export type PublicRoute = RouteBase & { readonly access: 'public'; handle(call: Call): Promise<Answer> }
export type ProtectedRoute = RouteBase & {
  readonly access: Scope
  /** `json`: at most `HttpLimits.bodyBytes`, parsed, and `optional-json` also absent; `none`: not read at all. */
  readonly body: 'json' | 'optional-json' | 'none'
  handle(call: AuthorizedCall): Promise<Answer>
}
export type Route = PublicRoute | ProtectedRoute

export type RouteTable = {
  readonly routes: readonly Route[]
  /** The methods of a path, for `Allow`; empty when nothing is there. */
  allowed(path: string): readonly string[]
}

/** Which scopes open a route. A key that may create responses may also read them; `admin` stands for itself alone. */
const OPENED_BY: Readonly<Record<Scope, ReadonlySet<string>>> = {
  responses: new Set(['responses']),
  read: new Set(['read', 'responses']),
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
  const matchers = routes.map((route) => ({ method: route.method, matches: toMatcher(route.pattern) }))
  return {
    routes,
    allowed: (path) => {
      const methods = matchers.filter(({ matches }) => matches.test(path)).map(({ method }) => method)
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

function toMatcher(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&')
  const source = escaped.replace(/:[a-z_]+/g, '[^/]+').replace(/\*$/, '.+')
  return new RegExp(`^${source}$`)
}

/** Throws `ApiError` 403 when the key has none of the scopes that open the route. */
export function requireScope(principal: Principal, scope: Scope): void {
  for (const owned of principal.scopes) if (OPENED_BY[scope].has(owned)) return
  throw new ApiError({
    status: 403,
    code: 'insufficient_permissions',
    message: `You have insufficient permissions for this operation. Missing scopes: ${scope}.`,
  })
}
