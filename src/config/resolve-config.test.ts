import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { BUILT_IN_PROVIDERS, PROVIDER_CATALOG } from '../app/built-in-providers.ts'
import type { ConfigSources } from './config-sources.ts'
import { resolveConfig } from './resolve-config.ts'
import type { ResolvedConfig } from './resolved-config.ts'
import { formatProblem } from './source-node.ts'

const folder = mkdtempSync(join(tmpdir(), 'antiphon-config-'))
after(() => rmSync(folder, { recursive: true }))

function sources(yaml: string | null, rest: Partial<ConfigSources> = {}): ConfigSources {
  const cwd = mkdtempSync(join(folder, 'case-'))
  if (yaml !== null) writeFileSync(join(cwd, 'antiphon.yaml'), yaml)
  const providers = PROVIDER_CATALOG
  return { providers, flags: new Map(), file: null, noAuth: false, env: {}, cwd, home: join(cwd, 'home'), ...rest }
}

async function load(yaml: string | null, rest: Partial<ConfigSources> = {}): Promise<ResolvedConfig> {
  const result = await resolveConfig(sources(yaml, rest))
  assert.ok(result.type === 'config', result.type === 'problems' ? result.problems.map(formatProblem).join('\n') : '')
  return result.config
}

async function faults(yaml: string | null, rest: Partial<ConfigSources> = {}): Promise<string[]> {
  const result = await resolveConfig(sources(yaml, rest))
  assert.equal(result.type, 'problems')
  return result.type === 'problems' ? result.problems.map(formatProblem) : []
}

/** Each fault alone in a file; the one message expected, from its position on. */
const PLANTED: readonly (readonly [string, string, string])[] = [
  ['a misspelt section', 'sever: {}', '1:1 unknown key "sever" (did you mean "server"?)'],
  ['a misspelt key', 'server:\n  prot: 1', '2:3 unknown key "prot" (did you mean "port"?)'],
  [
    'a misspelt key of a provider',
    'providers:\n  x:\n    type: vllm\n    api_bse: http://h/v1',
    '4:5 unknown key "api_bse" (did you mean "api_base"?)',
  ],
  [
    "another product's name for a key",
    'providers:\n  x: { type: vllm, base_url: http://h/v1 }',
    '2:20 unknown key "base_url" (did you mean "api_base"?)',
  ],
  ['camel case', 'storage: { dataDir: x }', '1:12 unknown key "dataDir" (did you mean "data_dir"?)'],
  ['a feature of later', 'batch: {}', '1:1 unknown key "batch": batches are not part of this version'],
  [
    'a LiteLLM file',
    'model_list: []',
    '1:1 unknown key "model_list": LiteLLM files are not read by this version; write "models"',
  ],
  ['a text for a number', 'server: { port: eighty }', '1:17 expected an integer from 0 to 65535, not "eighty"'],
  ['a number out of range', 'server: { port: 65536 }', '1:17 expected an integer from 0 to 65535, not "65536"'],
  ['a fraction', 'router: { num_retries: 1.5 }', '1:24 expected an integer from 0 to 10, not "1.5"'],
  [
    'a duration without unit',
    'server: { drain_timeout: 30 }',
    '1:26 expected a duration from 0s to 1h, not 30 (did you mean "30s"?)',
  ],
  ['a size of nothing', 'limits: { json_body: big }', '1:22 expected a size from 1KB to 512MB, not "big"'],
  ['a truth that is none', 'defaults: { store: yes }', '1:20 expected true or false, not "yes"'],
  [
    'a misspelt choice',
    'observability: { log: { level: wran } }',
    '1:32 expected one of debug, info, warn, error, silent, not "wran" (did you mean "warn"?)',
  ],
  ['a list for a section', 'server: [1]', '1:9 "server" should be a section of "key: value" lines, not a list'],
  ['a section for a list', 'models: { a: 1 }', '1:9 expected a list, each a model, not a section'],
  ['a duplicate key', 'server:\n  port: 1\n  port: 2', '3:3 duplicate key "port"'],
  [
    'broken YAML',
    'server: { port: 1',
    '1:18 not valid YAML: Flow map in block collection must be sufficiently indented and end with a }',
  ],
  [
    'an unquoted reference in a flow map',
    `server: { port: \${P} }`,
    `1:18 not valid YAML: Unexpected flow-map-start at node end (inside { } and [ ] write "\${...}" in quotes)`,
  ],
  [
    'a variable that is not set',
    `server: { host: "\${NO_SUCH}" }`,
    `1:17 the environment variable NO_SUCH is not set (write \${NO_SUCH:-default} to give a default)`,
  ],
  [
    'a required variable that is not set',
    `server: { host: "\${NO_SUCH:?ask the operator}" }`,
    '1:17 the environment variable NO_SUCH is not set: ask the operator',
  ],
  [
    'a malformed reference',
    `server: { host: "\${a b}" }`,
    `1:17 "\${a b}" is not a reference; write \${NAME}, or $\${ for a literal \${`,
  ],
  [
    'a model of a misspelt provider',
    'models:\n  - model_name: m\n    deployments: [{ model: opnai/x }]\nproviders: { openai: { api_key: k } }',
    '3:28 there is no provider "opnai" (did you mean "openai"?)',
  ],
  [
    'a fallback that does not exist',
    'models:\n  - model_name: smart\n    deployments: [{ model: demo/x }]\n    fallbacks: [smrt]',
    '4:17 there is no model "smrt" (did you mean "smart"?)',
  ],
  [
    'a model named twice',
    'models:\n  - { model_name: m, deployments: [{ model: demo/x }] }\n  - { model_name: m, deployments: [{ model: demo/y }] }',
    '3:19 the model "m" is defined twice',
  ],
  ['a model without deployments', 'models:\n  - model_name: m', '2:5 a model lacks "deployments"'],
  ['an alias of itself', 'aliases: { a: a }', '1:15 the alias "a" leads back to itself'],
  [
    'a provider of no known type',
    'providers: { gpu: {} }',
    '1:19 the provider "gpu" lacks "type" and "api_base", and its name is not a known one',
  ],
  [
    'a provider of a misspelt type',
    'providers: { gpu: { type: vlm } }',
    `1:27 expected one of openai_compatible, ai_sdk, demo, local, ${BUILT_IN_PROVIDERS.map(({ name }) => name).join(', ')}, not "vlm" (did you mean "vllm"?)`,
  ],
  [
    'a misspelt quirk',
    'providers: { gpu: { type: vllm, quirks: { tool_choise: false } } }',
    '1:56 unknown quirk "tool_choise" (did you mean "tool_choice"?)',
  ],
  [
    'a provider without address',
    'providers: { gpu: { type: openai_compatible } }',
    '1:19 the provider "gpu" lacks "api_base"',
  ],
  [
    'a model without deployments',
    'models: [{ model_name: a, deployments: [] }]',
    '1:40 expected a list of at least 1, each a deployment, not one of 0',
  ],
  [
    'a model whose only deployment is faulty',
    'models: [{ model_name: a, deployments: [{ model: demo }] }]',
    '1:50 expected a name as provider/model, not "demo"',
  ],
  ['a required field with nothing behind it', 'keys: [{ key_alias: ci, key: }]', '1:8 a key lacks "key"'],
  [
    'a URL with a password',
    'providers: { openai: { api_base: "http://me:pw@h/v1" } }',
    '1:34 expected an http:// or https:// URL without user name and query, not "http://***@h/v1"',
  ],
  [
    'a secret file that is not there',
    'providers: { openai: { api_key: "file:/no/such/file" } }',
    '1:33 cannot read the secret from /no/such/file (ENOENT)',
  ],
  [
    'a database of later',
    'storage: { database_url: "mysql://me:pw@db/x" }',
    '1:26 expected sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE, not "mysql://***@db/x"',
  ],
  ['a short key', 'keys: [{ key_alias: ci, key: short }]', '1:30 a key needs at least 8 characters'],
  [
    'a misspelt scope',
    'keys: [{ key_alias: ci, key: long-enough, scopes: [respones] }]',
    '1:52 expected one of responses, files, read, admin, not "respones" (did you mean "responses"?)',
  ],
  [
    'a date that is none',
    'keys: [{ key_alias: ci, key: long-enough, expires: soon }]',
    '1:52 expected a date as 2027-06-30 or 2027-06-30T12:00:00Z, not "soon"',
  ],
  [
    'a key of no possible project',
    'keys: [{ key_alias: ci, key: long-enough, project: A B }]',
    '1:52 expected a name of lower-case letters, digits and hyphens, not "A B"',
  ],
  [
    'a retention of what is not stored',
    'projects: { clinic: { zero_retention: true, retention: 7d } }',
    '1:21 the project "clinic" has zero_retention: nothing is stored that "retention" could keep',
  ],
  [
    'a misspelt setting of a project',
    'projects: { clinic: { zero_retension: true } }',
    '1:23 unknown key "zero_retension" (did you mean "zero_retention"?)',
  ],
]

describe('a fault in the file is found with its line, column and a suggestion', () => {
  for (const [name, yaml, expected] of PLANTED) {
    test(name, async () => {
      const found = (await faults(yaml)).filter((line) => !line.includes('switched off'))
      assert.deepEqual(found, [`antiphon.yaml:${expected}`])
    })
  }
})

test('all faults are told at once, in the order of the file', async () => {
  const found = await faults('server: { prot: 1 }\nrouter: { num_retries: x }\nsever: {}')
  assert.deepEqual(
    found.map((line) => line.split(' ', 1)[0]),
    ['antiphon.yaml:1:11', 'antiphon.yaml:2:24', 'antiphon.yaml:3:1'],
  )
})

test('without a file everything has its default', async () => {
  const config = await load(null)
  assert.equal(config.server.host, '127.0.0.1')
  assert.equal(config.server.port, 8484)
  assert.equal(config.limits.jsonBodyBytes, 32 * 1024 * 1024)
  assert.equal(config.storage.dataDir, join(config.storage.databasePath, '..'))
  assert.deepEqual(config.origins.get('server.port'), { level: 'default', name: null })
  assert.equal(config.file, null)
})

test('a flag beats the environment, which beats the file, which beats the default', async () => {
  const yaml = 'server: { port: 1001, host: 127.0.0.2 }\nrouter: { num_retries: 5 }'
  const env = { PORT: '1002', ANTIPHON_SERVER__PORT: '1003' }
  const flags = new Map([['server.port', { flag: '--port', value: '1004' }]] as const)
  const flagged = await load(yaml, { env, flags })
  assert.equal(flagged.server.port, 1004)
  assert.deepEqual(flagged.origins.get('server.port'), { level: 'flag', name: '--port' })
  assert.deepEqual(flagged.origins.get('server.host'), { level: 'file', name: 'antiphon.yaml' })
  const fromEnv = await load(yaml, { env })
  assert.equal(fromEnv.server.port, 1003)
  assert.deepEqual(fromEnv.origins.get('server.port'), { level: 'env', name: 'ANTIPHON_SERVER__PORT' })
  assert.equal((await load(yaml, { env: { PORT: '1002' } })).server.port, 1002)
  const fromFile = await load(yaml)
  assert.equal(fromFile.server.port, 1001)
  assert.equal(fromFile.router.numRetries, 5)
})

test('a fault in a value that is overruled is still told', async () => {
  assert.deepEqual(await faults('server: { port: x }', { env: { PORT: '1' } }), [
    'antiphon.yaml:1:17 expected an integer from 0 to 65535, not "x"',
  ])
})

test('a wrong or unknown variable is named', async () => {
  assert.deepEqual(await faults(null, { env: { ANTIPHON_SERVER__PRT: '1', PORT: 'x' } }), [
    'ANTIPHON_SERVER__PRT: unknown variable (did you mean "ANTIPHON_SERVER__PORT"?)',
    'PORT: expected an integer from 0 to 65535, not "x"',
  ])
})

test('variables that an orchestrator sets for a service are left alone', async () => {
  const env = { ANTIPHON_SERVICE_HOST: '10.0.0.1', ANTIPHON_PORT_8484_TCP: 'tcp://10.0.0.1:8484' }
  assert.equal((await load(null, { env })).server.port, 8484)
})

test('a list or a section in a variable is read as YAML', async () => {
  const env = { ANTIPHON_SERVER__CORS: '[https://a.example]', ANTIPHON_ALIASES: '{ gpt-4o: demo/demo }' }
  const config = await load(null, { env })
  assert.deepEqual(config.server.cors, ['https://a.example'])
  assert.equal(config.aliases.get('gpt-4o'), 'demo/demo')
})

test('references take the variable, the default, or leave the setting out', async () => {
  const yaml = `server:\n  host: \${H:-127.0.0.9}\n  port: \${P}\n  public_url: \${U:-}\ndefaults: { model: "$\${x}" }`
  const config = await load(yaml, { env: { P: '77' } })
  assert.equal(config.server.host, '127.0.0.9')
  assert.equal(config.server.port, 77)
  assert.equal(config.server.publicUrl, null)
  assert.equal(config.defaults.model, `\${x}`)
})

test('the file of --config must exist', async () => {
  const found = await faults(null, { file: 'nope.yaml' })
  assert.match(found[0] ?? '', /^--config: there is no file .*nope\.yaml$/)
})

test('a file in the data directory is found when the working directory has none', async () => {
  const dataDir = mkdtempSync(join(folder, 'data-'))
  writeFileSync(join(dataDir, 'antiphon.yaml'), 'server: { port: 99 }')
  assert.equal((await load(null, { env: { ANTIPHON_DATA_DIR: dataDir } })).server.port, 99)
})

test('relative paths start at the file that says them, and ~ is the home folder', async () => {
  const made = sources('storage: { data_dir: state, database_url: "sqlite:~/a.db" }')
  const result = await resolveConfig({ ...made, cwd: made.cwd })
  assert.ok(result.type === 'config')
  assert.equal(result.config.storage.dataDir, join(made.cwd, 'state'))
  assert.equal(result.config.storage.databasePath, join(made.home, 'a.db'))
})

test('a database of PostgreSQL comes with its limits, and SQLite with none', async () => {
  const url = 'postgres://me:pw@db/x?schema=one'
  const { storage } = await load(`storage: { database_url: "${url}", postgres: { query_timeout: 2s } }`)
  assert.deepEqual(storage.postgres, { url, maxConnections: 20, connectTimeoutMs: 3_000, queryTimeoutMs: 2_000 })
  assert.equal((await load('storage: { database_url: "sqlite:a.db" }')).storage.postgres, undefined)
})

test('a known provider needs only its key, which may come from a file', async () => {
  const secretFile = join(folder, 'secret')
  writeFileSync(secretFile, 'sk-from-file\n')
  const config = await load(`providers: { openai: { api_key: "file:${secretFile}" } }`)
  const [openai] = config.providers
  assert.equal(openai?.apiKey, 'sk-from-file')
  assert.equal(openai?.apiBase, 'https://api.openai.com/v1')
  assert.equal(openai?.source, 'antiphon.yaml')
})

test('Anthropic is spoken to in its own API, and in Chat Completions where the file says so', async () => {
  const wireOf = async (yaml: string | null, env: Record<string, string> = {}) => {
    const found = (await load(yaml, { env })).providers.find(({ name }) => name === 'anthropic')
    return `${found?.wireApi} ${found?.apiBase}`
  }
  assert.equal(await wireOf(null, { ANTHROPIC_API_KEY: 'k' }), 'anthropic https://api.anthropic.com/v1')
  const chat = 'providers: { anthropic: { api_key: k, wire_api: chat } }'
  assert.equal(await wireOf(chat), 'chat https://api.anthropic.com/v1')
  const moved = { ANTHROPIC_API_KEY: 'k', ANTHROPIC_BASE_URL: 'https://gateway.example/anthropic' }
  assert.equal(await wireOf(null, moved), 'anthropic https://gateway.example/anthropic')
})

test('OpenAI is spoken to in its own API at its own address, and elsewhere in the one that others have', async () => {
  const wireOf = async (yaml: string | null, env: Record<string, string> = {}) => {
    const found = (await load(yaml, { env })).providers.find(({ name }) => name === 'openai')
    return `${found?.wireApi} ${found?.apiBase}`
  }
  const provider = (rest: string) => `providers: { openai: { api_key: k${rest} } }`
  const moved = { OPENAI_BASE_URL: 'http://gateway.example/v1' }
  assert.equal(await wireOf(provider('')), 'responses https://api.openai.com/v1')
  assert.equal(await wireOf(null, { OPENAI_API_KEY: 'k' }), 'responses https://api.openai.com/v1')
  assert.equal(await wireOf(provider(', wire_api: chat')), 'chat https://api.openai.com/v1')
  assert.equal(await wireOf(null, moved), 'chat http://gateway.example/v1')
  assert.equal(await wireOf(provider(''), moved), 'chat http://gateway.example/v1')
  assert.equal(await wireOf(provider(', api_base: "http://gateway.example/v1"')), 'chat http://gateway.example/v1')
  assert.equal(await wireOf(provider(', wire_api: responses'), moved), 'responses http://gateway.example/v1')
})

test('Azure has an address of its own for everyone, which must be given', async () => {
  const env = { AZURE_OPENAI_API_KEY: 'k', AZURE_OPENAI_ENDPOINT: 'https://me.openai.azure.com/' }
  const [azure] = (await load(null, { env })).providers
  assert.equal(
    `${azure?.name} ${azure?.wireApi} ${azure?.apiBase}`,
    'azure responses https://me.openai.azure.com/openai/v1',
  )
  const [old] = (
    await load(
      'providers: { azure: { api_base: "https://me.openai.azure.com/openai", api_version: 2025-03-01-preview } }',
      {
        env,
      },
    )
  ).providers
  assert.equal(`${old?.apiKey} ${old?.apiVersion}`, 'k 2025-03-01-preview')
  assert.deepEqual((await load(null, { env: { AZURE_OPENAI_API_KEY: 'k' } })).providers, [])
  assert.deepEqual(await faults('providers: { azure: { api_key: k } }'), [
    'antiphon.yaml:1:21 the provider "azure" lacks "api_base"',
  ])
})

test('tools of a provider are switched on by name, where its API has them', async () => {
  const config = await load('providers: { openai: { api_key: k, hosted_tools: [web_search, mcp] } }')
  assert.deepEqual(config.providers[0]?.hostedTools, ['web_search', 'mcp'])
  assert.deepEqual((await load('providers: { openai: { api_key: k } }')).providers[0]?.hostedTools, [])
  assert.match(
    (await faults('providers: { gpu: { api_base: "http://gpu/v1", hosted_tools: [web_search] } }')).join(),
    /"hosted_tools" needs wire_api: responses; this provider is spoken to in "chat"/,
  )
  assert.match(
    (await faults('providers: { openai: { api_key: k, hosted_tools: [shell] } }')).join(),
    /one of web_search/,
  )
})

test('a known provider whose variable is not set is switched off with a warning', async () => {
  const result = await resolveConfig(sources(`providers: { openai: { api_key: "\${OPENAI_API_KEY}" } }`))
  assert.ok(result.type === 'config')
  assert.deepEqual(result.config.disabledProviders, [{ name: 'openai', reason: 'no key: set OPENAI_API_KEY' }])
  assert.equal(result.config.providers.length, 0)
  assert.ok(result.warnings.length > 0)
})

test('providers are found by the variables of their keys, unless discovery is off', async () => {
  const env = { GROQ_API_KEY: 'gsk', GOOGLE_API_KEY: 'g' }
  const found = (await load(null, { env })).providers.map(({ name, source }) => `${name} ${source}`)
  assert.deepEqual(found, ['gemini GOOGLE_API_KEY', 'groq GROQ_API_KEY'])
  assert.deepEqual((await load('discovery: { enabled: false }', { env })).providers, [])
})

test('local engines are candidates with the address their own variable says, unless the file names them', async () => {
  const config = await load('providers: { vllm: { api_base: "http://gpu:8000/v1" } }', {
    env: { OLLAMA_HOST: '0.0.0.0:11500' },
  })
  assert.equal(config.engineCandidates.find(({ name }) => name === 'ollama')?.apiBase, 'http://127.0.0.1:11500/v1')
  assert.equal(
    config.engineCandidates.some(({ name }) => name === 'vllm'),
    false,
  )
  assert.equal(config.providers[0]?.type, 'vllm')
  const other = await load(null, { env: { OLLAMA_HOST: 'box' } })
  assert.equal(other.engineCandidates.find(({ name }) => name === 'ollama')?.apiBase, 'http://box:11434/v1')
})

test('quirks are given as the adapter spells them', async () => {
  const yaml = 'providers: { gpu: { api_base: "http://gpu/v1", quirks: { tool_choice: false, think_tags: true } } }'
  const [gpu] = (await load(yaml)).providers
  assert.deepEqual(gpu?.quirks, { toolChoice: false, thinkTags: true })
  assert.equal(gpu?.type, 'openai_compatible')
})

test('models keep their deployments, weights and what the file says of them', async () => {
  const config = await load(`
models:
  - model_name: smart
    deployments: [{ model: ollama/qwen3:30b, weight: 3, rpm: 500, tpm: 400000 }, { model: demo/demo }]
    fallbacks: [ollama/other]
    content_policy_fallbacks: [demo/demo]
    model_info: { context_window: 65536, supports: [tools, json_schema], fields: { stop: emulated, top_p: ignored } }
`)
  assert.deepEqual(config.models, [
    {
      name: 'smart',
      deployments: [
        { provider: 'ollama', upstreamModel: 'qwen3:30b', weight: 3, rpm: 500, tpm: 400_000, price: null },
        { provider: 'demo', upstreamModel: 'demo', weight: 1, rpm: null, tpm: null, price: null },
      ],
      fallbacks: ['ollama/other'],
      contentPolicyFallbacks: ['demo/demo'],
      fields: { stop: 'emulated', top_p: 'ignored' },
      contextWindow: 65_536,
      maxOutputTokens: null,
      supports: ['tools', 'json_schema'],
    },
  ])
})

test('an engine that a model names is a provider, and is not looked for again', async () => {
  const yaml = 'models: [{ model_name: m, deployments: [{ model: ollama/x }] }]\ndiscovery: { enabled: false }'
  const config = await load(yaml)
  assert.deepEqual(
    config.providers.map(({ name }) => name),
    ['ollama'],
  )
  assert.deepEqual(config.engineCandidates, [])
})

test('a provider without its key takes its deployments along, and a model with no other is not there', async () => {
  const config = await load(`
providers: { openai: { api_key: "\${OPENAI_API_KEY}" } }
models:
  - { model_name: gone, deployments: [{ model: openai/a }] }
  - { model_name: kept, deployments: [{ model: openai/a }, { model: demo/demo }] }
`)
  assert.deepEqual(
    config.models.map(({ name, deployments }) => [name, deployments.length]),
    [['kept', 1]],
  )
})

test('ANTIPHON_API_KEY is a key with all scopes, and longer where others can reach the server', async () => {
  const [key] = (await load(null, { env: { ANTIPHON_API_KEY: '12345678' } })).keys
  assert.deepEqual(key?.scopes, ['responses', 'files', 'read', 'admin'])
  const env = { ANTIPHON_API_KEY: '12345678', ANTIPHON_HOST: '0.0.0.0' }
  assert.deepEqual(await faults(null, { env }), [
    'ANTIPHON_API_KEY: a key needs at least 16 characters when the server listens on 0.0.0.0',
  ])
})

test('keys and retention belong to projects; what a project does not say is as it is for all', async () => {
  const config = await load(`
retention: { responses: 10d }
projects: { clinic: { zero_retention: true }, research: { retention: 7d }, plain: {} }
keys:
  - { key_alias: a, key: key-of-clinic, project: clinic }
  - { key_alias: b, key: key-of-nobody }
`)
  assert.deepEqual(
    config.keys.map(({ projectId }) => projectId),
    ['proj_clinic', 'proj_default'],
  )
  const day = 86_400_000
  assert.deepEqual(Object.fromEntries(config.projects), {
    proj_clinic: { zeroRetention: true, retentionMs: 10 * day },
    proj_research: { zeroRetention: false, retentionMs: 7 * day },
    proj_plain: { zeroRetention: false, retentionMs: 10 * day },
  })
})

test('a key of a project that is almost one with settings is warned of', async () => {
  const yaml =
    'projects: { clinic: { zero_retention: true } }\nkeys: [{ key_alias: a, key: long-enough, project: clinc }]'
  const result = await resolveConfig(sources(yaml))
  assert.deepEqual(result.type === 'config' && result.warnings.map(({ message }) => message), [
    'there are no settings of a project "clinc" (did you mean "clinic"?)',
  ])
})

test('no message holds a secret', async () => {
  const yaml = 'keys: [{ key_alias: a, key: "s e c r e t" }, { key_alias: b, key: [s-e-c-r-e-t] }]'
  for (const line of await faults(yaml)) assert.doesNotMatch(line, /s.e.c.r.e.t/)
})

test('an alias of YAML that contains itself ends', async () => {
  assert.ok((await faults('server: &a [*a, *a, *a, *a, *a, *a, *a, *a]')).length > 0)
})
