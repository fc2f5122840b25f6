import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  collect,
  createManualClock,
  createScriptedModel,
  finish,
  type Script,
  type ScriptedModel,
  textBlock,
} from '../../test/support/decorated-models.ts'
import { systemClock } from '../lib/clock.ts'
import { createCountingIds } from '../lib/ids.ts'
import { type Model, ModelError } from './model.ts'
import type { ModelInfo } from './model-info.ts'
import type { ModelProvider } from './model-provider.ts'
import { PLAIN_TURN } from './plain-turn.ts'
import { createModelLister } from './provider-models.ts'
import { createRegistry, MAX_RESOLVED_MODELS, type RegistryOptions } from './registry.ts'

const good: Script = [textBlock('t', 'hi'), [finish()]]
const down: Script = [new ModelError('unavailable', 'down', { status: 503 })]

type Fake = ModelProvider & { readonly opened: Map<string, { model: ScriptedModel; info: ModelInfo }>; opens: number }

/** `ids` null: the provider cannot be asked. */
function provider(
  name: string,
  ids: readonly (string | { id: string; info: ModelInfo })[] | null,
  options: Partial<ModelProvider> & { script?: Script } = {},
): Fake {
  const opened: Fake['opened'] = new Map()
  const rows = ids?.map((row) => ({
    created: 7,
    ownedBy: null,
    info: {},
    ...(typeof row === 'string' ? { id: row } : row),
  }))
  const fake: Fake = {
    name,
    ownedBy: `${name}-inc`,
    opened,
    opens: 0,
    open(upstreamModel, info) {
      const model = createScriptedModel([options.script ?? good], {
        customTools: false,
        structuredOutput: false,
        ...info,
      })
      opened.set(upstreamModel, { model, info })
      fake.opens += 1
      return model
    },
    async listModels() {
      if (rows === undefined) throw new ModelError('connection', 'no')
      return rows
    },
    ...options,
  }
  return fake
}

const registry = (options: Partial<RegistryOptions>) =>
  createRegistry({
    providers: [],
    models: [],
    aliases: new Map(),
    defaultModel: null,
    clock: createManualClock(),
    ids: createCountingIds(),
    ...options,
  })
const route = (
  name: string,
  deployments: readonly string[],
  fallbacks: readonly string[] = [],
  info: ModelInfo = {},
) => ({
  name,
  deployments: deployments.map((place) => {
    const [providerName = '', ...rest] = place.split('/')
    return { provider: providerName, upstreamModel: rest.join('/'), weight: 1 }
  }),
  fallbacks,
  info,
})
async function where(options: Partial<RegistryOptions>, ...names: readonly string[]) {
  const catalog = registry(options)
  const found = await Promise.all(names.map((name) => catalog.resolve(name)))
  return found.map((one) => (one === null ? null : `${one.provider}/${one.upstreamModel}`))
}

describe('resolving a name', () => {
  it('goes to the model of the configuration first, then to aliases, also over several steps', async () => {
    const providers = [provider('a', ['smart', 'x'])]
    const models = [route('smart', ['a/big'])]
    const aliases = new Map([
      ['gpt-4o', 'mid'],
      ['mid', 'smart'],
      ['direct', 'a/x'],
      ['bare', 'x'],
    ])
    assert.deepEqual(await where({ providers, models, aliases }, 'smart', 'gpt-4o', 'direct', 'bare'), [
      'a/big',
      'a/big',
      'a/x',
      'a/x',
    ])
  })

  it('passes provider/model through, everything behind the first slash whole', async () => {
    const providers = [provider('router', []), provider('demo', ['demo'], { exactList: true })]
    const names = ['router/openai/gpt-4o', 'router/', 'nobody/x', 'demo/demo', 'demo/other']
    assert.deepEqual(await where({ providers }, ...names), ['router/openai/gpt-4o', null, null, 'demo/demo', null])
  })

  it('finds a bare id at the first provider that lists it, slashes and all', async () => {
    const providers = [provider('a', ['x']), provider('b', ['x', 'meta/llama', 'llama3.2:latest'])]
    assert.deepEqual(await where({ providers }, 'x', 'meta/llama', 'llama3.2', 'y'), [
      'a/x',
      'b/meta/llama',
      'b/llama3.2:latest',
      null,
    ])
  })

  it('gives an unknown id to the only provider that could not be asked', async () => {
    assert.deepEqual(await where({ providers: [provider('a', null), provider('demo', ['demo'])] }, 'x', 'demo'), [
      'a/x',
      'demo/demo',
    ])
    assert.deepEqual(await where({ providers: [provider('a', null), provider('b', null)] }, 'x'), [null])
  })

  it('answers for the default model by the name default', async () => {
    const providers = [provider('a', ['x'])]
    assert.deepEqual(await where({ providers, defaultModel: 'x' }, 'default'), ['a/x'])
    assert.deepEqual(await where({ providers }, 'default'), [null])
  })

  it('finds a model that was pulled a moment ago', async () => {
    const clock = createManualClock()
    const ids = ['x']
    const listModels = createModelLister(
      async () => ids.map((id) => ({ id, created: null, ownedBy: null, info: {} })),
      clock,
    )
    const catalog = registry({ clock, providers: [provider('a', [], { listModels })] })
    assert.equal(await catalog.resolve('new'), null)
    ids.push('new')
    clock.advance(11_000)
    assert.equal((await catalog.resolve('new'))?.provider, 'a')
  })
})

describe('what stands behind a name', () => {
  it('knows the family, then the provider, then the operator', async () => {
    const a = provider('a', [{ id: 'gpt-4o', info: { contextWindow: 999 } }, 'gpt-4o-mini'])
    const catalog = registry({ providers: [a], models: [route('own', ['a/gpt-4o'], [], { contextWindow: 5 })] })
    assert.equal((await catalog.resolve('gpt-4o-mini'))?.model.capabilities.contextWindow, 128_000)
    assert.equal((await catalog.resolve('gpt-4o'))?.model.capabilities.contextWindow, 999)
    assert.equal((await catalog.resolve('own'))?.model.capabilities.contextWindow, 5)
  })

  it('can do custom tools and structured output, by emulation', async () => {
    const catalog = registry({ providers: [provider('a', ['x'])] })
    const capabilities = (await catalog.resolve('x'))?.model.capabilities
    assert.deepEqual([capabilities?.customTools, capabilities?.structuredOutput], [true, true])
  })

  it('retries, within three calls for all deployments of a name', async () => {
    for (const [count, calls] of [
      [1, [3]],
      [2, [1, 1]],
      [3, [1, 1, 1]],
    ] as const) {
      const providers = calls.map((_, index) => provider(`p${index}`, [], { script: down }))
      const models = [
        route(
          'm',
          providers.slice(0, count).map(({ name }) => `${name}/x`),
        ),
      ]
      const resolved = await registry({ providers, models, clock: createManualClock(true) }).resolve('m')
      assert.ok(resolved)
      assert.notEqual((await collect(resolved.model)).error, null)
      assert.deepEqual(
        providers.map(({ opened }) => opened.get('x')?.model.calls.length),
        calls,
      )
    }
  })

  it('goes to the fallbacks of a name, with the name each provider knows', async () => {
    const providers = [provider('a', [], { script: down }), provider('b', ['bare'])]
    const models = [route('m', ['a/x'], ['missing', 'other', 'bare']), route('other', ['a/y'])]
    const resolved = await registry({ providers, models, clock: createManualClock(true) }).resolve('m')
    assert.ok(resolved)
    const { error } = await collect(resolved.model, { ...PLAIN_TURN, model: resolved.upstreamModel })
    assert.equal(error, null)
    assert.equal(providers[1]?.opened.get('bare')?.model.calls[0]?.model, 'bare')
    assert.ok((providers[0]?.opened.get('y')?.model.calls.length ?? 0) >= 1)
  })

  it('is kept, so that a name is opened once', async () => {
    const clock = createManualClock()
    const a = provider('a', ['x'])
    const catalog = registry({ clock, providers: [a] })
    const [one, two] = await Promise.all([catalog.resolve('x'), catalog.resolve('x')])
    assert.equal(one?.model, two?.model)
    assert.equal(a.opens, 1)
    clock.advance(300_001)
    await Promise.all([catalog.resolve('x'), catalog.resolve('x')])
    assert.equal(a.opens, 2)
    for (let index = 0; index < MAX_RESOLVED_MODELS; index += 1) await catalog.resolve(`a/${index}`)
    await catalog.resolve('x')
    assert.equal(a.opens, 2 + MAX_RESOLVED_MODELS + 1)
  })

  it('does not wait long for a provider that does not say what its model can do', async () => {
    const silent = provider('a', [], { listModels: () => new Promise(() => {}) })
    const resolved = await registry({ clock: systemClock, providers: [silent, provider('keep', [])] }).resolve('a/x')
    assert.equal(resolved?.upstreamModel, 'x')
  })
})

describe('a minute in which everything fails', () => {
  const unsteady = (): Script => [new ModelError('unavailable', 'down', { status: 503 })]
  for (const [shape, names, fallbacks] of [
    ['one deployment', ['a/x'], []],
    ['two deployments', ['a/x', 'b/x'], []],
    ['three deployments', ['a/x', 'b/x', 'c/x'], []],
    ['two deployments and a fallback', ['a/x', 'b/x'], ['c/x']],
    ['one deployment and two fallbacks', ['a/x'], ['b/x', 'c/x']],
  ] as const) {
    it(`costs at most 1.2 calls a turn with ${shape}, and serves everybody a minute later`, async () => {
      const clock = createManualClock(true)
      let down = true
      const providers = ['a', 'b', 'c'].map((name) => {
        const failing = createScriptedModel([unsteady()])
        const working = createScriptedModel([good])
        const model: Model = {
          ...working,
          stream: (turn, context) => (down ? failing : working).stream(turn, context),
        }
        return { provider: { ...provider(name, []), open: () => model }, failing, working }
      })
      const catalog = registry({
        clock,
        providers: providers.map((it) => it.provider),
        models: [route('m', names, fallbacks)],
      })
      const sum = (of: 'failing' | 'working') => providers.reduce((total, it) => total + it[of].calls.length, 0)
      const serve = async () => {
        const resolved = await catalog.resolve('m')
        assert.ok(resolved)
        return (await collect(resolved.choose?.(PLAIN_TURN).model ?? resolved.model)).error
      }
      const turns = 60 * 25
      for (let index = 0; index < turns; index += 1) {
        assert.ok((await serve()) instanceof ModelError)
        clock.advance(40)
      }
      const calls = sum('failing')
      assert.ok(calls >= turns && calls <= turns * 1.2, `${calls} calls for ${turns} turns`)
      down = false
      clock.advance(31_000)
      for (let index = 0; index < 20; index += 1) assert.equal(await serve(), null)
      assert.equal(sum('working'), 20)
    })
  }
})

describe('the list of models', () => {
  it('shows bare ids where they lead to the model, and provider/id where they do not', async () => {
    const providers = [provider('a', ['x', 'own', 'b/z']), provider('b', ['x', 'y']), provider('dead', null)]
    const catalog = registry({
      providers,
      models: [route('own', ['b/y'])],
      aliases: new Map([
        ['gpt-4o', 'own'],
        ['lost', 'nothing-here/x'],
      ]),
      defaultModel: 'y',
    })
    const list = await catalog.list()
    assert.deepEqual(
      list.map(({ id }) => id),
      ['own', 'gpt-4o', 'lost', 'a/x', 'a/own', 'a/b/z', 'b/x', 'y'],
    )
    assert.deepEqual(list.at(-1), { id: 'y', created: 7, ownedBy: 'b-inc', capabilities: list.at(-1)?.capabilities })
  })

  it('lists only names that resolve, and every name leads to where it says', async () => {
    const providers = [provider('a', ['x', 'own', 'b/z']), provider('b', ['x', 'y', 'a/x'])]
    const catalog = registry({ providers, models: [route('own', ['b/y'])] })
    for (const { id, ownedBy } of await catalog.list()) {
      const resolved = await catalog.resolve(id)
      assert.equal(`${resolved?.provider}-inc`, ownedBy, id)
    }
  })

  it('gets one entry, also of a name that is not listed but works, and null for one that does not', async () => {
    const catalog = registry({ providers: [provider('a', ['x', 'y']), provider('dead', null)], defaultModel: 'x' })
    assert.equal((await catalog.get('x'))?.ownedBy, 'a-inc')
    assert.equal((await catalog.get('a/y'))?.id, 'a/y')
    assert.equal((await catalog.get('default'))?.created, 7)
    assert.equal((await catalog.get('dead/z'))?.ownedBy, 'dead-inc')
    assert.equal(await catalog.get('a/nope'), null)
    assert.equal(await registry({ providers: [provider('a', ['x'])] }).get('nope'), null)
  })
})

describe('a configuration that leads nowhere', () => {
  it('is refused where it never can work', () => {
    const providers = [provider('a', [])]
    const circle = new Map([
      ['x', 'y'],
      ['y', 'x'],
    ])
    assert.throws(() => registry({ providers, aliases: circle }), /leads back/)
    assert.throws(() => registry({ providers, models: [route('m', ['b/x'])] }), /no known provider: 'b'/)
    assert.throws(() => registry({ providers, models: [route('m', [])] }), /needs a deployment/)
  })

  it('is reported where it may work later', async () => {
    const catalog = registry({
      providers: [provider('a', ['x'])],
      models: [route('m', ['a/x'], ['gone', 'x'])],
      aliases: new Map([['n', 'gone too']]),
      defaultModel: 'm',
    })
    assert.deepEqual(await catalog.problems(), [
      "The model 'm' leads to 'gone', which no provider has.",
      "The alias 'n' leads to 'gone too', which no provider has.",
    ])
  })
})
