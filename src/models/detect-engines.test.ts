import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Answer, startServer } from '../../test/support/fake-server.ts'
import { systemClock } from '../lib/clock.ts'
import { detectEngines, type EngineName } from './detect-engines.ts'

type Fake = { readonly name: EngineName; readonly answer: (path: string) => Answer }
const at = (answers: Readonly<Record<string, Answer>>) => (path: string) =>
  answers[path] ?? { status: 404, text: 'not found' }
const models = (owned_by: string, id = 'm') => ({ json: { data: [{ id, owned_by }] } })

/** For engines that answer, on a machine that does much else. */
const PATIENT_MS = 20_000

async function detect(fakes: readonly Fake[], timeoutMs = PATIENT_MS) {
  const servers = await Promise.all(fakes.map(({ answer }) => startServer(answer)))
  const places = fakes.map(({ name }, index) => ({ name, root: servers[index]?.root ?? '' }))
  try {
    const found = await detectEngines({ places, clock: systemClock, timeoutMs })
    const seen = found.map((engine) => [engine.name, engine.models.map(({ id }) => id).join(), engine.needsKey])
    return { found, seen, servers }
  } finally {
    await Promise.all(servers.map((server) => server.close()))
  }
}

describe('detecting engines', () => {
  it('recognises each by its own answers, and sends no key', async () => {
    const { found, seen, servers } = await detect([
      {
        name: 'ollama',
        answer: at({
          '/api/version': { json: { version: '0.9' } },
          '/api/tags': { json: { models: [{ name: 'q:1b' }] } },
        }),
      },
      { name: 'lmstudio', answer: at({ '/api/v0/models': models('x', 'l') }) },
      { name: 'vllm', answer: at({ '/version': { json: { version: '1' } }, '/v1/models': models('vllm') }) },
      {
        name: 'llamacpp',
        answer: at({
          '/props': { json: { default_generation_settings: {} } },
          '/v1/models': models('llamacpp', 'g'),
        }),
      },
      {
        name: 'sglang',
        answer: at({ '/get_model_info': { json: { model_path: 's' } }, '/v1/models': models('sglang', 's') }),
      },
      { name: 'sglang', answer: at({ '/v1/models': models('sglang', 's2') }) },
    ])
    assert.deepEqual(seen, [
      ['ollama', 'q:1b', false],
      ['lmstudio', 'l', false],
      ['vllm', 'm', false],
      ['llamacpp', 'g', false],
      ['sglang', 's', false],
      ['sglang', 's2', false],
    ])
    assert.equal(found[0]?.baseUrl, `${servers[0]?.root}/v1`)
    for (const request of servers.flatMap((server) => server.requests)) assert.equal(request.authorization, undefined)
  })

  it('does not wait for one that hangs, and still finds the others', async () => {
    const { seen } = await detect(
      [
        { name: 'lmstudio', answer: at({ '/api/v0/models': models('x', 'l') }) },
        { name: 'vllm', answer: () => ({ hang: true }) },
        { name: 'ollama', answer: at({ '/api/version': { json: { version: '0.9' } }, '/api/tags': { hang: true } }) },
      ],
      3_000,
    )
    assert.deepEqual(seen, [['lmstudio', 'l', false]])
  })

  it('takes nobody else on the port for an engine', async () => {
    const others: readonly ((path: string) => Answer)[] = [
      () => ({ text: '<html>hello</html>' }),
      () => ({ json: {} }),
      () => ({ json: [] }),
      () => ({ json: null, text: 'null' }),
      () => ({ status: 401 }),
      () => models('somebody'),
    ]
    for (const name of ['ollama', 'vllm', 'llamacpp', 'sglang'] as const) {
      assert.deepEqual((await detect(others.map((answer) => ({ name, answer })))).seen, [], name)
    }
    assert.deepEqual((await detect(others.slice(0, 5).map((answer) => ({ name: 'lmstudio', answer })))).seen, [])
    const port = { name: 'vllm', root: 'http://127.0.0.1:9' } as const
    assert.deepEqual(await detectEngines({ places: [port], clock: systemClock }), [])
  })

  it('shows an engine that wants a key as one that wants a key', async () => {
    const { seen } = await detect([
      { name: 'vllm', answer: at({ '/version': { json: { version: '1' } }, '/v1/models': { status: 401 } }) },
    ])
    assert.deepEqual(seen, [['vllm', '', true]])
  })
})
