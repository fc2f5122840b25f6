import assert from 'node:assert/strict'
import test from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { LATER_ITEM_TYPES } from './items.ts'
import { buildOpenApi, OPENAPI_ROUTES } from './openapi.ts'

type Json = { readonly [key: string]: unknown }

const document: unknown = JSON.parse(JSON.stringify(buildOpenApi({ version: '1.2.3', serverUrl: '/' })))
const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null

function at(value: unknown, ...steps: readonly string[]): Json {
  for (const step of steps) value = isJson(value) ? value[step] : undefined
  assert.ok(isJson(value), `${steps.join('/')} is not there`)
  return value
}
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const operations = () =>
  Object.entries(at(document, 'paths')).flatMap(([path, methods]) =>
    Object.entries(at(methods)).map(([method, operation]) => ({ path, method, operation: at(operation) })),
  )

function refsIn(value: unknown): string[] {
  if (!isJson(value)) return []
  return Object.entries(value).flatMap(([key, child]) =>
    key === '$ref' && typeof child === 'string' ? [child] : refsIn(child),
  )
}

test('the document is OpenAPI 3.1 with a version, a server and a security scheme', () => {
  assert.match(String(at(document).openapi), /^3\.1\.\d+$/)
  assert.equal(at(document, 'info').version, '1.2.3')
  assert.deepEqual(at(document).servers, [{ url: '/' }])
  const [requirement] = list(at(document).security)
  assert.equal(at(document, 'components', 'securitySchemes', Object.keys(at(requirement))[0] ?? '').scheme, 'bearer')
})

test('every reference resolves', () => {
  const refs = refsIn(document)
  assert.ok(refs.length > 100)
  for (const ref of new Set(refs)) at(document, ...ref.replace('#/', '').split('/'))
})

test('every component is a valid JSON Schema of the 2020-12 draft', () => {
  const ajv = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true, discriminator: false })
  ajv.addVocabulary(['discriminator', 'components', 'openapi', 'info', 'servers', 'security', 'tags', 'paths'])
  ajv.addSchema({ ...at(document), $id: 'document' })
  for (const name of Object.keys(at(document, 'components', 'schemas'))) {
    ajv.compile({ $ref: `document#/components/schemas/${name}` })
  }
})

test('the components are those that requests are checked with', () => {
  const ajv = new Ajv2020({ strict: false })
  ajv.addSchema({ ...at(document), $id: 'document' })
  const check = ajv.compile({ $ref: 'document#/components/schemas/CreateResponse' })
  assert.ok(check({ model: 'm', input: [{ role: 'user', content: 'hi' }], stop: ['a'], unknown: 1 }))
  assert.ok(!check({ model: 'm', input: [{ role: 'robot', content: 'hi' }] }))
  for (const type of LATER_ITEM_TYPES) assert.ok(!check({ model: 'm', input: [{ type }] }), type)
})

test('every operation has an id of its own, a summary, a reply and the error envelope', () => {
  const ids = new Set<unknown>()
  for (const { path, method, operation } of operations()) {
    const name = `${method} ${path}`
    assert.match(path, /^\//, name)
    assert.ok(typeof operation.operationId === 'string' && !ids.has(operation.operationId), name)
    ids.add(operation.operationId)
    assert.ok(operation.summary, name)
    const replies = at(operation, 'responses')
    assert.deepEqual(replies.default, { $ref: '#/components/responses/Error' }, name)
    assert.ok(at(replies, '200').description, name)
  }
})

test('every path parameter is declared, and nothing else is', () => {
  for (const { path, operation } of operations()) {
    const inPath = [...path.matchAll(/\{([a-z_]+)\}/g)].map(([, name]) => name)
    const declared = list(operation.parameters).map((parameter) => at(parameter))
    const names = declared.filter((parameter) => parameter.in === 'path').map(({ name, required }) => required && name)
    assert.deepEqual(names, inPath, path)
  }
})

/** Sent twice, they do what they do once. */
const REPEATABLE = new Set(['searchVectorStore', 'updateVectorStoreFile'])

test('every operation with a body takes an idempotency key, except those on files, and no other does (req 191)', () => {
  for (const { path, method, operation } of operations()) {
    const isOfFiles =
      list(operation.tags)[0] === 'Files' ||
      path === '/v1/containers/{container_id}/files' ||
      REPEATABLE.has(String(operation.operationId))
    const names = list(operation.parameters).map((parameter) => at(parameter).name)
    const expected = operation.requestBody !== undefined && !isOfFiles
    assert.equal(names.includes('Idempotency-Key'), expected, `${method} ${path}`)
  }
})

test('a stream is described as events, one component for each type', () => {
  const stream = at(document, 'components', 'schemas', 'ResponseStreamEvent')
  const mapping = Object.entries(at(stream, 'discriminator', 'mapping'))
  assert.equal(list(stream.anyOf).length, mapping.length)
  for (const [type, ref] of mapping) {
    const event = at(document, ...String(ref).replace('#/', '').split('/'))
    assert.equal(at(event, 'properties', 'type').const, type)
  }
  assert.deepEqual(Object.keys(at(document, 'paths', '/v1/responses', 'post', 'responses', '200', 'content')), [
    'application/json',
    'text/event-stream',
  ])
})

test('the list of routes names every operation once', () => {
  assert.equal(new Set(OPENAPI_ROUTES).size, operations().length)
  for (const route of ['POST /v1/responses', 'DELETE /v1/responses/{}', 'GET /v1/models/{}', 'GET /openapi.json']) {
    assert.ok(OPENAPI_ROUTES.includes(route), route)
  }
})
