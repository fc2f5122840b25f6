import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { startChatUpstream } from '../../test/fakes/chat-upstream.ts'
import { isJson } from '../../test/fakes/chat-validate.ts'
import { createProviderCatalog } from '../config/known-providers.ts'
import { resolveConfig } from '../config/resolve-config.ts'
import { systemClock } from '../lib/clock.ts'
import { createRandomIds } from '../lib/ids.ts'
import { DEFAULT_QUIRKS } from '../models/chat-completions/quirks.ts'
import { BUILT_IN_PROVIDERS } from './built-in-providers.ts'
import { readFoundCapabilities, saveFinding } from './capability-findings.ts'
import { openModels } from './open-models.ts'
import { openModelTester } from './test-models.ts'

const home = mkdtempSync(join(tmpdir(), 'antiphon-probe-'))
after(() => rmSync(home, { recursive: true }))

async function configFor(url: string, dataDir: string) {
  const file = join(home, 'antiphon.yaml')
  writeFileSync(
    file,
    `providers: { up: { type: openai_compatible, api_base: "${url}" } }
models: [{ model_name: mine, deployments: [{ model: up/m }] }]
discovery: { enabled: false }
storage: { data_dir: "${join(home, dataDir)}" }`,
  )
  const providers = createProviderCatalog(BUILT_IN_PROVIDERS, DEFAULT_QUIRKS)
  const resolved = await resolveConfig({ flags: new Map(), file, noAuth: false, env: {}, providers, cwd: home, home })
  assert.ok(resolved.type === 'config')
  return resolved.config
}
const OPTIONS = { signal: new AbortController().signal, onResult: () => {} }

test('what a model can do is asked, kept, and used from then on', async () => {
  // Knows no schemas and no log probabilities, makes no call it is not asked for by name, and goes on behind a stop.
  const upstream = await startChatUpstream({
    script: ({ body }) => {
      if (!isJson(body)) return {}
      if (body.response_format !== undefined) return { answer: { text: 'Rome has many people.' } }
      if (body.logprobs !== undefined) return { status: 400 }
      if (body.tool_choice === 'required') return { answer: { text: 'Hello!', calls: [] } }
      return body.stop === undefined ? {} : { answer: { text: '5 6 7 8' }, wire: stopless() }
    },
  })
  const config = await configFor(upstream.url, 'one')
  {
    await using tester = await openModelTester(config)
    assert.deepEqual(await tester.deployments('nobody'), [])
    const [deployment] = await tester.deployments(null)
    assert.ok(deployment)
    const { results, fields, saved } = await tester.test(deployment, OPTIONS)
    assert.equal(saved, true)
    const outcomes = Object.fromEntries(results.map(({ name, outcome }) => [name, outcome]))
    assert.deepEqual(
      ['text', 'tool call', 'forced tool call', 'one call at a time', 'strict schema', 'log probabilities', 'stop'].map(
        (name) => outcomes[name],
      ),
      ['works', 'works', 'lacking', 'works', 'lacking', 'refused', 'lacking'],
    )
    assert.deepEqual(
      [
        fields['tools.function'],
        fields.tool_choice,
        fields['text.format.json_schema'],
        fields.stop,
        fields.top_logprobs,
      ],
      ['native', 'emulated', 'emulated', 'emulated', 'refused'],
    )
  }
  const models = await openModels(config, { clock: systemClock, ids: createRandomIds() })
  const entry = await models.catalog.get('mine')
  assert.equal(entry?.fields?.stop, 'emulated')
  assert.equal(entry?.fields?.tool_choice, 'emulated')
  assert.equal(entry?.capabilities.logprobs, false)
  assert.match(entry?.deployments?.[0]?.testedAt ?? '', /^\d{4}-\d\d-\d\dT/)
  await models.close()
  await upstream.close()
})

test('a model that does not answer is not judged', async () => {
  const upstream = await startChatUpstream({ script: () => ({ status: 503 }) })
  const config = await configFor(upstream.url, 'two')
  await using tester = await openModelTester(config)
  const { results, saved } = await tester.test({ provider: 'up', upstreamModel: 'm' }, OPTIONS)
  assert.deepEqual([results.map(({ outcome }) => outcome), saved], [['failed'], false])
  assert.equal(readFoundCapabilities(join(home, 'two')).entries.size, 0)
  await upstream.close()
})

test('findings of several models stand side by side, and a file that cannot be read is said', () => {
  const dir = join(home, 'three')
  saveFinding(dir, 'a/x', { testedAt: '2026-01-01T00:00:00.000Z', fields: { stop: 'emulated' } })
  saveFinding(dir, 'b/y', { testedAt: '2026-01-02T00:00:00.000Z', fields: { stop: 'native' } })
  const { entries, problem } = readFoundCapabilities(dir)
  assert.deepEqual(
    [[...entries.keys()], entries.get('a/x')?.fields, problem],
    [['a/x', 'b/y'], { stop: 'emulated' }, null],
  )
  const file = join(dir, 'capabilities.json')
  writeFileSync(file, readFileSync(file, 'utf8').replace('emulated', 'maybe'))
  assert.deepEqual(readFoundCapabilities(dir).entries.get('a/x')?.fields, {})
  writeFileSync(file, '{')
  assert.match(readFoundCapabilities(dir).problem ?? '', /capabilities\.json cannot be read.*Delete it/)
})

/** A stream that says 5 6 7 8. */
function stopless(): string {
  const chunk = (delta: object, finish_reason: string | null = null) =>
    `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason }] })}\n\n`
  return `${chunk({ role: 'assistant', content: '5 6 7 8' })}${chunk({}, 'stop')}data: [DONE]\n\n`
}
