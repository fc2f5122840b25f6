/** Liveness: the process answers. Touches nothing else. */
import { json } from '../exchange.ts'
import type { PublicRoute } from '../route-table.ts'

const PATTERNS = ['/health', '/healthz', '/livez', '/health/liveliness'] as const

export const healthRoutes = (): readonly PublicRoute[] =>
  PATTERNS.map((pattern) => ({
    method: 'GET',
    pattern,
    access: 'public',
    handle: async () => json({ status: 'ok' }),
  }))
