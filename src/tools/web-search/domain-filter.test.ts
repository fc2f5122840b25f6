import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from '../../protocol/errors.ts'
import { createDomainFilter } from './domain-filter.ts'

test('a domain stands for itself and what is below it, never for what merely ends so', () => {
  const filter = createDomainFilter(
    { allowed_domains: ['Example.com', 'münchen.example'], blocked_domains: ['bad.example.com'] },
    'f',
  )
  const allowed = ['example.com', 'www.EXAMPLE.com', 'example.com.', 'xn--mnchen-3ya.example']
  const refused = ['notexample.com', 'example.com.evil', 'bad.example.com', 'x.bad.example.com', 'com', '']
  assert.deepEqual(
    allowed.filter((host) => !filter.allows(host)),
    [],
  )
  assert.deepEqual(
    refused.filter((host) => filter.allows(host)),
    [],
  )
  assert.ok(createDomainFilter(null, 'f').allows('anything.example'))
})

test('what is no domain, and too many of them, are refused by name', () => {
  for (const domain of [
    '',
    'https://a.example',
    'a.example/path',
    'a b',
    '*',
    '-a.example',
    'a.example:80',
    'u@a.example',
  ])
    assert.throws(
      () => createDomainFilter({ blocked_domains: ['ok.example', domain] }, 'tools[2].filters'),
      (error) => error instanceof ApiError && error.param === 'tools[2].filters.blocked_domains[1]',
      domain,
    )
  const many = Array.from({ length: 101 }, (_, at) => `a${at}.example`)
  assert.throws(() => createDomainFilter({ allowed_domains: many }, 'f'), /at most 100 domains/)
})
