import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rewriteUrl } from './rewrite-url.ts'

test('what people do to a base URL is forgiven', () => {
  const cases: Readonly<Record<string, string>> = {
    '/v1/responses': '/v1/responses',
    '/v1/responses/': '/v1/responses',
    '//v1//responses': '/v1/responses',
    '/responses': '/v1/responses',
    '/responses/resp_1/input_items/?limit=2': '/v1/responses/resp_1/input_items?limit=2',
    '/v1/v1/responses': '/v1/responses',
    '/v1/v1/v1/models': '/v1/models',
    '/models/a/b': '/v1/models/a/b',
    '/models?x=//y/': '/v1/models?x=//y/',
    '/v1/models/a%2Fb/': '/v1/models/a%2Fb',
    '/health/': '/health',
    '/': '/',
    '//': '/',
  }
  for (const [url, expected] of Object.entries(cases)) assert.equal(rewriteUrl(url), expected, url)
})

test('what is unknown stays unknown', () => {
  for (const url of [
    '/files/x',
    '/v1/chat',
    '/v1beta/responses',
    '/responsesx',
    '*',
    'http://host/v1/models',
    '/v1/v1x',
  ]) {
    assert.equal(rewriteUrl(url), url)
  }
})
