import assert from 'node:assert/strict'
import { test } from 'node:test'
import { routePorts } from '../../test/support/http-edge.ts'
import { OPENAPI_ROUTES } from '../protocol/openapi.ts'
import { json } from './exchange.ts'
import { toSegments } from './path-pattern.ts'
import { buildRouteTable, describeRoutes, type Route } from './route-table.ts'
import { createRoutes } from './routes/all-routes.ts'

test('the inventory of routes, each with who may call it', () => {
  assert.deepEqual(describeRoutes(buildRouteTable(createRoutes(routePorts()))), [
    'POST /v1/responses access=responses body=json',
    'GET /v1/responses/:id access=read body=none',
    'DELETE /v1/responses/:id access=responses body=none',
    'POST /v1/responses/:id/cancel access=responses body=none',
    'GET /v1/responses/:id/input_items access=read body=none',
    'POST /v1/responses/input_tokens access=responses body=json',
    'POST /v1/responses/compact access=responses body=json',
    'POST /v1/prompts access=responses body=json',
    'GET /v1/prompts access=read body=none',
    'GET /v1/prompts/:id access=read body=none',
    'GET /v1/prompts/:id/versions/:version access=read body=none',
    'POST /v1/prompts/:id access=responses body=json',
    'DELETE /v1/prompts/:id access=responses body=none',
    'POST /v1/vector_stores access=files body=optional-json',
    'GET /v1/vector_stores access=read-files body=none',
    'GET /v1/vector_stores/:id access=read-files body=none',
    'POST /v1/vector_stores/:id access=files body=json',
    'DELETE /v1/vector_stores/:id access=files body=none',
    'POST /v1/vector_stores/:id/search access=read-files body=json',
    'POST /v1/vector_stores/:id/files access=files body=json',
    'GET /v1/vector_stores/:id/files access=read-files body=none',
    'GET /v1/vector_stores/:id/files/:file access=read-files body=none',
    'POST /v1/vector_stores/:id/files/:file access=files body=json',
    'DELETE /v1/vector_stores/:id/files/:file access=files body=none',
    'GET /v1/vector_stores/:id/files/:file/content access=read-files body=none',
    'POST /v1/vector_stores/:id/file_batches access=files body=json',
    'GET /v1/vector_stores/:id/file_batches/:batch access=read-files body=none',
    'POST /v1/vector_stores/:id/file_batches/:batch/cancel access=files body=none',
    'GET /v1/vector_stores/:id/file_batches/:batch/files access=read-files body=none',
    'GET /v1/webhook_event_types access=read body=none',
    'POST /v1/webhook_endpoints access=responses body=json',
    'GET /v1/webhook_endpoints access=read body=none',
    'GET /v1/webhook_endpoints/:id access=read body=none',
    'POST /v1/webhook_endpoints/:id access=responses body=optional-json',
    'DELETE /v1/webhook_endpoints/:id access=responses body=none',
    'POST /v1/webhook_endpoints/:id/rotate_secret access=responses body=optional-json',
    'POST /v1/webhook_endpoints/:id/test access=responses body=json',
    'GET /v1/webhook_endpoints/:id/deliveries access=read body=none',
    'POST /v1/webhook_endpoints/:id/deliveries/:event/redeliver access=responses body=none',
    'POST /v1/containers access=responses body=json',
    'GET /v1/containers access=read body=none',
    'GET /v1/containers/:id access=read body=none',
    'DELETE /v1/containers/:id access=responses body=none',
    'POST /v1/containers/:id/files access=responses body=json-or-form',
    'GET /v1/containers/:id/files/:file/content access=read body=none',
    'GET /v1/containers/:id/files access=read body=none',
    'GET /v1/containers/:id/files/:file access=read body=none',
    'DELETE /v1/containers/:id/files/:file access=responses body=none',
    'POST /v1/conversations access=responses body=optional-json',
    'GET /v1/conversations/:id access=read body=none',
    'POST /v1/conversations/:id access=responses body=json',
    'DELETE /v1/conversations/:id access=responses body=none',
    'POST /v1/conversations/:id/items access=responses body=json',
    'GET /v1/conversations/:id/items access=read body=none',
    'GET /v1/conversations/:id/items/:item_id access=read body=none',
    'DELETE /v1/conversations/:id/items/:item_id access=responses body=none',
    'POST /v1/files access=files body=form',
    'GET /v1/files access=read-files body=none',
    'GET /v1/files/:id access=read-files body=none',
    'DELETE /v1/files/:id access=files body=none',
    'GET /v1/files/:id/content access=read-files body=none',
    'POST /v1/uploads access=files body=json',
    'POST /v1/uploads/:id/parts access=files body=form',
    'POST /v1/uploads/:id/complete access=files body=json',
    'POST /v1/uploads/:id/cancel access=files body=none',
    'POST /v1/chat/completions access=responses body=json',
    'POST /v1/completions access=responses body=none',
    'POST /v1/embeddings access=responses body=json',
    'GET /v1/models access=read body=none',
    'GET /v1/models/* access=read body=none',
    'GET /health access=public body=none',
    'GET /healthz access=public body=none',
    'GET /livez access=public body=none',
    'GET /health/liveliness access=public body=none',
    'GET /ready access=public body=none',
    'GET /readyz access=public body=none',
    'GET /version access=public body=none',
    'GET /metrics access=admin body=none',
    'GET /openapi.json access=public body=none',
    'GET / access=public body=none',
  ])
})

test('the OpenAPI document has every route, and no other', () => {
  const offered = buildRouteTable(createRoutes(routePorts())).routes.filter(
    ({ pattern }) => pattern !== '/v1/completions',
  )
  const routes = offered.map(({ method, pattern }) => `${method} ${pattern.replace(/:[a-z_]+|\*$/g, '{}')}`)
  assert.deepEqual([...OPENAPI_ROUTES].sort(), routes.sort())
})

const route: Route = { method: 'GET', pattern: '/x', access: 'public', handle: async () => json({}) }

test('a route that does not say who may call it is not built', () => {
  for (const access of [undefined, 'everyone', 'toString']) {
    assert.throws(() => buildRouteTable([Object.assign({ ...route }, { access })]), /route GET \/x has no access rule/)
  }
})

test('a route cannot be declared twice', () => {
  assert.throws(() => buildRouteTable([route, route]), /declared twice/)
})

const segmentsOf = (path: string) => toSegments(path) ?? []

test('the methods of a path are those of all patterns that match it', () => {
  const table = buildRouteTable(createRoutes(routePorts()))
  const allowed = (path: string) => table.allowed(segmentsOf(path))
  assert.deepEqual(allowed('/v1/responses/resp_1'), ['GET', 'HEAD', 'DELETE', 'OPTIONS'])
  assert.deepEqual(allowed('/v1/models/a/b/c'), ['GET', 'HEAD', 'OPTIONS'])
  assert.deepEqual(allowed('/v1/responses'), ['POST', 'OPTIONS'])
  assert.deepEqual(allowed('/openapiXjson'), [])
  assert.deepEqual(allowed('/v1/responses/a/b'), [])
})

test('every route is found by its own pattern, whatever stands before it', () => {
  const table = buildRouteTable(createRoutes(routePorts()))
  for (const route of table.routes) {
    const found = table.find(route.method, segmentsOf(route.pattern.replace(/[:*]/g, 'x')))
    assert.equal(found?.route, route, `${route.method} ${route.pattern}`)
  }
  assert.equal(table.find('PUT', segmentsOf('/v1/responses')), null)
  assert.equal(table.find('HEAD', segmentsOf('/health'))?.route.pattern, '/health')
})

test('a name in a pattern goes before a parameter, in whatever order they were declared', () => {
  const table = buildRouteTable([
    { ...route, pattern: '/x/:id' },
    { ...route, pattern: '/x/new' },
  ])
  assert.equal(table.find('GET', ['x', 'new'])?.route.pattern, '/x/new')
  assert.deepEqual(table.find('GET', ['x', 'old'])?.params, { id: 'old' })
})
