import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KnownProvider } from './known-providers.ts'
import { baseUrlOf, leadsToSelf } from './provider-address.ts'

const ollama: KnownProvider = {
  name: 'ollama',
  baseUrl: 'http://127.0.0.1:11434/v1',
  wireApi: 'chat' as const,
  envKeys: [],
  envBaseUrls: ['OLLAMA_HOST'],
  local: true,
}
const openai: KnownProvider = {
  name: 'openai',
  baseUrl: 'https://api.openai.com/v1',
  wireApi: 'chat' as const,
  envKeys: ['OPENAI_API_KEY'],
  envBaseUrls: ['OPENAI_BASE_URL'],
  local: false,
}

test('an engine is found where its own variable says, in every form the engine takes', () => {
  const forms = {
    '': 'http://127.0.0.1:11434/v1',
    '0.0.0.0': 'http://127.0.0.1:11434/v1',
    '0.0.0.0:1': 'http://127.0.0.1:1/v1',
    ':8081': 'http://127.0.0.1:8081/v1',
    gpu: 'http://gpu:11434/v1',
    'gpu:80': 'http://gpu/v1',
    'https://gpu.example/ollama/': 'https://gpu.example/ollama',
    'http://[bad': 'http://127.0.0.1:11434/v1',
    'http://user:secret@gpu': 'http://127.0.0.1:11434/v1',
  }
  for (const [OLLAMA_HOST, expected] of Object.entries(forms)) {
    assert.equal(baseUrlOf(ollama, { OLLAMA_HOST }), expected, OLLAMA_HOST)
  }
})

test('a base URL that is the address of this server itself is seen as such', () => {
  const own = { host: '127.0.0.1', port: 8484 }
  const leads = (OPENAI_BASE_URL: string) => leadsToSelf(openai, { OPENAI_BASE_URL }, own)
  assert.ok(leads('http://127.0.0.1:8484/v1'))
  assert.ok(leads('http://localhost:8484/v1'))
  assert.ok(!leads('http://localhost:8000/v1'))
  assert.ok(!leads('https://api.example.com/v1'))
  assert.ok(!leadsToSelf(openai, {}, own))
})
