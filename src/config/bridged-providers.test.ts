/** Providers that a package of the AI SDK reaches, as a file names them. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { PROVIDER_CATALOG } from '../app/built-in-providers.ts'
import { resolveConfig } from './resolve-config.ts'
import { formatProblem } from './source-node.ts'

const folder = mkdtempSync(join(tmpdir(), 'antiphon-bridged-'))
after(() => rmSync(folder, { recursive: true }))

function resolve(yaml: string, env: Readonly<Record<string, string>> = {}) {
  const cwd = mkdtempSync(join(folder, 'case-'))
  writeFileSync(join(cwd, 'antiphon.yaml'), yaml)
  return resolveConfig({
    providers: PROVIDER_CATALOG,
    flags: new Map(),
    file: null,
    noAuth: false,
    env,
    cwd,
    home: cwd,
  })
}

const FAULTS: readonly (readonly [string, string, string])[] = [
  [
    'a provider without its package',
    'providers: { gpu: { type: ai_sdk } }',
    '1:19 the provider "gpu" lacks "package", as @ai-sdk/cohere',
  ],
  [
    'a setting of packages where there is none',
    'providers: { gpu: { type: vllm, options: { a: 1 } } }',
    '1:19 "options" of the provider "gpu" is for packages: it needs type: ai_sdk',
  ],
  [
    'a package that is a path',
    'providers: { gpu: { type: vllm, package: "../evil.js" } }',
    '1:42 expected a package as @ai-sdk/cohere, not "../evil.js"',
  ],
]

for (const [title, yaml, expected] of FAULTS) {
  test(`${title} is a fault with its place`, async () => {
    const result = await resolve(yaml)
    assert.ok(result.type === 'problems')
    assert.deepEqual(result.problems.map(formatProblem), [`antiphon.yaml:${expected}`])
  })
}

test('a provider that a package reaches needs no address, and its options are JSON with variables filled in', async () => {
  const yaml = `providers:
  bedrock: { region: eu-central-1 }
  any: { package: "@ai-sdk/x", factory: createX, method: chat, api_key: k, options: { a: "\${ANY:-b}", n: [1, true, { c: null }] } }`
  const result = await resolve(yaml, { AWS_BEARER_TOKEN_BEDROCK: 'token' })
  assert.ok(result.type === 'config')
  const [bedrock, any] = result.config.providers
  assert.deepEqual(
    [bedrock?.wireApi, bedrock?.apiKey, bedrock?.apiBase, bedrock?.bridge],
    [
      'ai_sdk',
      'token',
      '',
      { packageName: '@ai-sdk/amazon-bedrock', factory: null, method: null, options: { region: 'eu-central-1' } },
    ],
  )
  assert.deepEqual(any?.bridge, {
    packageName: '@ai-sdk/x',
    factory: 'createX',
    method: 'chat',
    options: { a: 'b', n: [1, true, {}] },
  })
})

test('a key in the environment alone is no wish to install a package', async () => {
  const result = await resolve('{}', { AWS_BEARER_TOKEN_BEDROCK: 'token', GOOGLE_VERTEX_API_KEY: 'key' })
  assert.ok(result.type === 'config')
  assert.deepEqual(result.config.providers, [])
})
