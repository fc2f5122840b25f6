import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutSecrets } from './hosted-tools.ts'
import { readHostedItem } from './read-hosted-item.ts'

test('an item has what it lacks filled in, keeps what it holds beyond, and loses its nulls', () => {
  assert.deepEqual(readHostedItem({ type: 'web_search_call', id: 'theirs', created_by: 'x', extra: null }, 'ours'), {
    id: 'ours',
    type: 'web_search_call',
    status: 'completed',
    action: { type: 'search' },
    created_by: 'x',
  })
  assert.deepEqual(readHostedItem({ type: 'code_interpreter_call', container_id: 'c', code: null }, 'ours'), {
    id: 'ours',
    type: 'code_interpreter_call',
    status: 'completed',
    container_id: 'c',
    code: null,
    outputs: null,
  })
})

test('what is none of these items, or makes no sense, is none', () => {
  for (const value of [
    {},
    { type: 'message' },
    { type: 'toString' },
    { type: 7 },
    { type: 'web_search_call', action: { type: 'guess' } },
    { type: 'web_search_call', status: 'calling' },
    { type: 'mcp_approval_response', approval_request_id: 'x', approve: true },
    { type: 'mcp_call', name: 'f' },
    { type: 'file_search_call', queries: 'tea' },
  ]) {
    assert.equal(readHostedItem(value, 'x'), null, JSON.stringify(value))
  }
})

test('an echoed tool holds no secret and no path of a server', () => {
  assert.deepEqual(
    withoutSecrets({
      type: 'mcp',
      server_label: 'd',
      server_url: 'https://u:p@mcp.example.com:444/t/secret?k=secret',
      authorization: 'secret',
      headers: { a: 'secret' },
    }),
    { type: 'mcp', server_label: 'd', server_url: 'https://mcp.example.com:444' },
  )
  const network_policy = {
    type: 'allowlist' as const,
    allowed_domains: ['a.example'],
    domain_secrets: [{ domain: 'a.example', name: 'K', value: 'secret' }],
  }
  assert.deepEqual(withoutSecrets({ type: 'code_interpreter', container: { type: 'auto', network_policy } }), {
    type: 'code_interpreter',
    container: { type: 'auto', network_policy: { type: 'allowlist', allowed_domains: ['a.example'] } },
  })
})
