import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compilePattern, countParams, toSegments } from './path-pattern.ts'

const match = (pattern: string, path: string) => compilePattern(pattern)(toSegments(path) ?? [])

test('a parameter is one segment, a final star the rest, and everything else is itself', () => {
  const cases: readonly (readonly [string, string, object | null])[] = [
    ['/v1/models', '/v1/models', {}],
    ['/v1/models', '/v1/model', null],
    ['/v1/models', '/v1/models/a', null],
    ['/', '/', {}],
    ['/', '/x', null],
    ['/v1/responses/:id', '/v1/responses/resp_1', { id: 'resp_1' }],
    ['/v1/responses/:id', '/v1/responses', null],
    ['/v1/responses/:id', '/v1/responses/a/b', null],
    ['/v1/responses/:id/cancel', '/v1/responses/resp_1/cancel', { id: 'resp_1' }],
    ['/v1/responses/:id/cancel', '/v1/responses/resp_1/input_items', null],
    ['/a/:x/b/:y', '/a/1/b/2', { x: '1', y: '2' }],
    ['/v1/models/*', '/v1/models/vendor/family/one', { '*': 'vendor/family/one' }],
    ['/v1/models/*', '/v1/models', null],
    ['/openapi.json', '/openapiXjson', null],
  ]
  for (const [pattern, path, expected] of cases) assert.deepEqual(match(pattern, path), expected, `${pattern} ${path}`)
})

test('a path is decoded after it was cut into segments', () => {
  assert.deepEqual(match('/v1/responses/:id', '/v1/responses/a%2Fb'), { id: 'a/b' })
  assert.deepEqual(match('/v1/models/*', '/v1/models/a%2Fb/c%20d'), { '*': 'a/b/c d' })
  assert.deepEqual(match('/v1/responses', '/v1/respon%73es'), {})
  assert.equal(match('/v1/responses', '/v1%2Fresponses'), null)
})

test('a percent sign that begins no character makes no path', () => {
  for (const path of ['/%', '/%zz', '/v1/models/%ff', '/a%2']) assert.equal(toSegments(path), null, path)
})

test('a parameter and a star both count as open', () => {
  assert.deepEqual(
    ['/', '/v1/models', '/v1/models/*', '/v1/responses/:id', '/a/:x/b/:y'].map(countParams),
    [0, 0, 1, 1, 2],
  )
})
