import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolveYaml } from '../../test/support/resolve-yaml.ts'

async function resolve(yaml: string) {
  const { config, faults } = await resolveYaml(yaml)
  const { webSearch, imageGeneration, security } = config ?? { webSearch: null, imageGeneration: null, security: null }
  return { webSearch, imageGeneration, security, faults }
}

const web = (fields: string) => resolve(`tools: { web_search: { ${fields} } }`)
const images = (fields: string) => resolve(`tools: { image_generation: { ${fields} } }`)

test('nobody searches as long as nothing is said', async () => {
  const { webSearch, security } = await resolve('')
  assert.deepEqual(webSearch, { engines: [], providerFirst: false, robots: true })
  assert.deepEqual(security, { allowPrivateHosts: [] })
})

test('one engine, or several in their order with the provider before them', async () => {
  const searxng = { engine: 'searxng', url: 'http://127.0.0.1:8080', apiKey: null }
  const one = await web('engine: searxng, url: "http://127.0.0.1:8080/"')
  assert.deepEqual(one.webSearch, { engines: [searxng], providerFirst: false, robots: true })
  const several = await web(
    'robots: false, engines: [{ engine: exa, api_key: k }, { engine: provider }, { engine: searxng, url: "http://127.0.0.1:8080" }]',
  )
  assert.deepEqual(several.webSearch, {
    engines: [{ engine: 'exa', url: null, apiKey: 'k' }, searxng],
    providerFirst: true,
    robots: false,
  })
  assert.deepEqual((await web('engine: provider')).webSearch, { engines: [], providerFirst: true, robots: true })
})

for (const [fields, fault] of [
  ['engine: searxng', /"searxng" lacks "url"/],
  ['engine: tavily', /"tavily" lacks "api_key"/],
  ['engines: [{ engine: brave }]', /"brave" lacks "api_key"/],
  ['engines: [{ url: "http://a.example" }]', /lacks "engine"/],
  ['api_key: k', /lacks "engine"/],
  ['engine: duckduckgo, engines: [{ engine: duckduckgo }]', /"engines" is given/],
  ['engine: gogle', /expected one of searxng/],
] as const) {
  test(`web_search is refused with { ${fields} }`, async () => {
    assert.match((await web(fields)).faults.join('\n'), fault)
  })
}

test('a private host is allowed with its port', async () => {
  const { security } = await resolve('security: { allow_private_hosts: ["wiki.internal:80", "[::1]:8080"] }')
  assert.deepEqual(security, { allowPrivateHosts: ['wiki.internal:80', '[::1]:8080'] })
  const { faults } = await resolve('security: { allow_private_hosts: ["http://wiki.internal"] }')
  assert.match(faults.join('\n'), /a host with its port/)
})

test('an image engine is its name with what it needs', async () => {
  assert.equal((await resolve('')).imageGeneration, null)
  assert.deepEqual((await images('engine: demo')).imageGeneration, { engine: 'demo' })
  assert.deepEqual((await images('engine: openai, api_key: k')).imageGeneration, {
    engine: 'openai',
    url: 'https://api.openai.com/v1',
    apiKey: 'k',
    model: null,
  })
  assert.deepEqual((await images('engine: chat, url: "http://127.0.0.1:1/v1/", model: painter')).imageGeneration, {
    engine: 'chat',
    url: 'http://127.0.0.1:1/v1',
    apiKey: null,
    model: 'painter',
  })
})

for (const [fields, fault] of [
  ['engine: openai', /"openai" lacks "api_key"/],
  ['engine: chat, url: "http://127.0.0.1:1"', /"chat" lacks "model"/],
  ['engine: chat, model: m', /"chat" lacks "url"/],
  ['engine: demo, model: m', /"demo" takes nothing else/],
  ['api_key: k', /lacks "engine"/],
  ['engine: dall-e', /expected one of openai/],
] as const) {
  test(`image_generation is refused with { ${fields} }`, async () => {
    assert.match((await images(fields)).faults.join('\n'), fault)
  })
}
