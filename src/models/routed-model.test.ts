import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  collect,
  createManualClock,
  createScriptedModel,
  finish,
  openContext,
  type Script,
  type ScriptedModel,
  textBlock,
  usage,
} from '../../test/support/decorated-models.ts'
import { createCountingIds, type Ids } from '../lib/ids.ts'
import type { Usage } from '../protocol/response.ts'
import { ALLOWED_FAILS, COOLDOWN_MS, createDeploymentHealth } from './deployment-health.ts'
import { createDeploymentLimits, type MinuteLimits } from './deployment-limits.ts'
import { createDeploymentLoad } from './deployment-load.ts'
import { type ModelContext, ModelError, type ModelErrorKind, type ModelTurn, type TakenRoute } from './model.ts'
import { PLAIN_TURN } from './plain-turn.ts'
import { markState } from './reasoning-origin.ts'
import { type Deployment, type RoutedOptions, routed } from './routed-model.ts'

const good: Script = [textBlock('t', 'hi'), [finish()]]
const failing = (kind: ModelErrorKind): Script => [new ModelError(kind, kind)]
const fixedIds = (random: number): Ids => ({ ...createCountingIds(), random: () => random })
const clock = createManualClock()

type Places = Partial<Deployment> & { readonly minute?: MinuteLimits }

/** `name`: both the provider's and the model's. */
const deployment = (model: ScriptedModel, name: string, { minute, ...rest }: Places = {}): Deployment => ({
  model,
  provider: name,
  upstreamModel: name,
  weight: 1,
  health: createDeploymentHealth({ clock }),
  load: createDeploymentLoad(clock),
  limits: minute ? createDeploymentLimits(minute, clock) : null,
  ...rest,
})
const group = (tiers: readonly (readonly Deployment[])[], options: Partial<RoutedOptions> = {}) =>
  routed({ clock, ids: fixedIds(0), strategy: 'weighted', tiers, ...options })
const goodOne = (usage: Usage | null = null) => createScriptedModel([[textBlock('t', 'hi'), [finish('stop', usage)]]])
const broken = (kind: ModelErrorKind) => createScriptedModel([failing(kind)])
const counts = (...models: readonly ScriptedModel[]) => models.map(({ calls }) => calls.length)
const kindOf = (error: unknown) => (error instanceof ModelError ? error.kind : error)

describe('a model of several deployments', () => {
  it('asks the deployment by the name its provider knows', async () => {
    const model = createScriptedModel([good])
    await collect(group([[deployment(model, 'up-1')]]))
    assert.equal(model.calls[0]?.model, 'up-1')
  })

  it('moves on before the first batch, first within the tier, then to the fallbacks', async () => {
    for (const kind of ['rate_limit', 'unavailable', 'connection', 'timeout', 'context_length', 'auth'] as const) {
      const [a, b, c] = [failing(kind), failing(kind), good].map((script) => createScriptedModel([script]))
      assert.ok(a && b && c)
      const { events, error } = await collect(group([[deployment(a, 'a'), deployment(b, 'b')], [deployment(c, 'c')]]))
      assert.equal(error, null)
      assert.equal(events.length, 4)
      assert.deepEqual(
        [a, b, c].map((model) => model.calls.map((turn) => turn.model)),
        [['a'], ['b'], ['c']],
      )
    }
  })

  it('stays when the failure is about the request, or when something was seen', async () => {
    for (const script of [
      failing('invalid_request'),
      failing('content_policy'),
      [textBlock('t', 'x'), ...failing('unavailable')],
    ]) {
      const other = createScriptedModel([good])
      const { error } = await collect(
        group([[deployment(createScriptedModel([script]), 'a')], [deployment(other, 'b')]]),
      )
      assert.ok(error instanceof ModelError)
      assert.equal(other.calls.length, 0)
    }
  })

  it('tells the failure of the first choice when nobody works', async () => {
    const tiers = [failing('rate_limit'), failing('connection')].map((script) => [
      deployment(createScriptedModel([script]), 'x'),
    ])
    const { error } = await collect(group(tiers))
    assert.ok(error instanceof ModelError && error.kind === 'rate_limit')
  })

  it('does not move on for a caller who left', async () => {
    const other = createScriptedModel([good])
    const model = group([[deployment(createScriptedModel([failing('unavailable')]), 'a')], [deployment(other, 'b')]])
    await collect(model, PLAIN_TURN, openContext(AbortSignal.abort()))
    assert.equal(other.calls.length, 0)
  })

  it('shares turns by weight', async () => {
    const [heavy, light] = [createScriptedModel([good]), createScriptedModel([good])]
    const ids = createCountingIds()
    const model = group([[deployment(heavy, 'h', { weight: 3 }), deployment(light, 'l')]], { ids })
    for (let index = 0; index < 400; index += 1) await collect(model)
    assert.ok(Math.abs(heavy.calls.length - 300) <= 20, String(heavy.calls.length))
    assert.equal(heavy.calls.length + light.calls.length, 400)
  })

  it('leaves out a deployment that keeps failing, and tries it again after the cooldown', async () => {
    const bad = createScriptedModel([failing('unavailable')])
    const model = group([[deployment(bad, 'a')], [deployment(createScriptedModel([good]), 'b')]])
    for (let index = 0; index < ALLOWED_FAILS + 5; index += 1) await collect(model)
    assert.equal(bad.calls.length, ALLOWED_FAILS)
    clock.advance(COOLDOWN_MS)
    await collect(model)
    assert.equal(bad.calls.length, ALLOWED_FAILS + 1)
    await collect(model)
    assert.equal(bad.calls.length, ALLOWED_FAILS + 1)
  })

  it('tries cooling deployments rather than none, and a success ends the cooldown', async () => {
    const scripts = [...Array(ALLOWED_FAILS).fill(failing('unavailable')), good]
    const only = createScriptedModel(scripts)
    const model = group([[deployment(only, 'a')]])
    for (let index = 0; index < ALLOWED_FAILS; index += 1) assert.notEqual((await collect(model)).error, null)
    assert.equal((await collect(model)).error, null)
  })

  it('a too long input is no sign of ill health', async () => {
    const small = createScriptedModel([failing('context_length')])
    const model = group([[deployment(small, 'a')], [deployment(createScriptedModel([good]), 'b')]])
    for (let index = 0; index < ALLOWED_FAILS + 2; index += 1) await collect(model)
    assert.equal(small.calls.length, ALLOWED_FAILS + 2)
  })

  it('does not fall back to a model that would have to drop an image', async () => {
    const blind = createScriptedModel([good], { imageInput: false })
    const model = group([[deployment(createScriptedModel([failing('unavailable')]), 'a')], [deployment(blind, 'b')]])
    const content = [{ type: 'input_image', image_url: 'data:image/png;base64,', detail: 'auto' }] as const
    const turn: ModelTurn = {
      ...PLAIN_TURN,
      items: [{ id: 'msg_1', type: 'message', status: 'completed', role: 'user', content: [...content] }],
    }
    const { error } = await collect(model, turn)
    assert.ok(error instanceof ModelError && error.kind === 'unavailable')
    assert.equal(blind.calls.length, 0)
  })

  it('can do what every deployment of its first tier can, within the smallest window', () => {
    const a = createScriptedModel([good], { contextWindow: 100, imageInput: false })
    const b = createScriptedModel([good], { contextWindow: 50 })
    const c = createScriptedModel([good], { contextWindow: 10, fileInput: false })
    const { capabilities } = group([[deployment(a, 'a'), deployment(b, 'b')], [deployment(c, 'c')]])
    assert.deepEqual([capabilities.contextWindow, capabilities.imageInput, capabilities.fileInput], [50, false, true])
  })

  it('counts tokens with the first deployment that can', async () => {
    const model = group([[deployment(broken('connection'), 'a')], [deployment(createScriptedModel([good]), 'b')]])
    assert.equal(await model.countInputTokens(PLAIN_TURN, openContext()), 7)
  })

  it('tells whom it asks, and after whom', async () => {
    const routes: TakenRoute[] = []
    const model = group([[deployment(broken('rate_limit'), 'a')], [deployment(goodOne(), 'b')]])
    await collect(model, PLAIN_TURN, { ...openContext(), onRoute: (route) => routes.push(route) })
    assert.deepEqual(routes, [
      { provider: 'a', model: 'a', after: null },
      { provider: 'b', model: 'b', after: { provider: 'a', model: 'a', reason: 'rate_limit' } },
    ])
  })

  it('asks a larger window after one that was too small, and none that is known to be no larger', async () => {
    const sized = (contextWindow: number | null, script: Script) => createScriptedModel([script], { contextWindow })
    const [small, same, unknown, large] = [
      sized(100, failing('context_length')),
      sized(100, good),
      sized(null, failing('context_length')),
      sized(200, good),
    ]
    const tiers = [small, same, unknown, large].map((model, index) => [deployment(model, `m${index}`)])
    assert.equal((await collect(group(tiers))).error, null)
    assert.deepEqual(counts(small, same, unknown, large), [1, 0, 1, 1])
  })

  it('goes on after a refusal of the content only to those that are named for it', async () => {
    const [strict, plain, tolerant] = [broken('content_policy'), goodOne(), goodOne()]
    const tiers = [[deployment(strict, 'a')], [deployment(plain, 'b')]]
    assert.equal(kindOf((await collect(group(tiers))).error), 'content_policy')
    const named = group(tiers, { contentPolicyTiers: [[deployment(tolerant, 'c')]] })
    assert.equal((await collect(named)).error, null)
    assert.deepEqual(counts(strict, plain, tolerant), [2, 0, 1])
  })

  it('does not fall back to a model that takes less of what was asked for', async () => {
    const lesser = { ...goodOne(), notCarried: () => [{ param: 'stop', weight: 'meaning' } as const] }
    const model = group([[deployment(broken('unavailable'), 'a')], [deployment(lesser, 'b')]])
    assert.equal(kindOf((await collect(model)).error), 'unavailable')
  })
})

describe('deployments that rest', () => {
  it('let one call through when their rest is over, and others wait for what it finds', async () => {
    const bad = broken('unavailable')
    const other = goodOne()
    const model = group([[deployment(bad, 'a')], [deployment(other, 'b')]])
    for (let index = 0; index < ALLOWED_FAILS; index += 1) await collect(model)
    clock.advance(COOLDOWN_MS)
    await Promise.all(Array.from({ length: 10 }, () => collect(model)))
    assert.deepEqual(counts(bad, other), [ALLOWED_FAILS + 1, ALLOWED_FAILS + 10])
  })

  it('are left alone as long as their provider asks for', async () => {
    const busy = createScriptedModel([[new ModelError('rate_limit', 'slow down', { retryAfterMs: 90_000 })], good])
    const model = group([[deployment(busy, 'a')], [deployment(goodOne(), 'b')]])
    await collect(model)
    clock.advance(89_000)
    await collect(model)
    assert.equal(busy.calls.length, 1)
    clock.advance(1_000)
    await collect(model)
    assert.equal(busy.calls.length, 2)
  })

  it('are asked one per turn, when all rest', async () => {
    const [a, b] = [broken('unavailable'), broken('unavailable')]
    const model = group([[deployment(a, 'a'), deployment(b, 'b')]])
    for (let index = 0; index < ALLOWED_FAILS; index += 1) await collect(model)
    const before = a.calls.length + b.calls.length
    for (let index = 0; index < 10; index += 1) assert.equal(kindOf((await collect(model)).error), 'unavailable')
    assert.equal(a.calls.length + b.calls.length - before, 10)
  })

  it('are not blamed for a caller who left while they were tried out', async () => {
    const health = createDeploymentHealth({ clock })
    for (let index = 0; index < ALLOWED_FAILS; index += 1) health.failed(new ModelError('unavailable', ''))
    clock.advance(COOLDOWN_MS)
    health.asked()
    assert.equal(health.isResting(), true)
    health.left()
    assert.equal(health.isResting(), false)
  })
})

describe('a minute of failure under load', () => {
  it('costs at most 1.2 calls a turn, with everything down or one of two', async () => {
    for (const down of [['a', 'b'], ['a']]) {
      const models = ['a', 'b'].map((name) => (down.includes(name) ? broken('unavailable') : goodOne()))
      const time = createManualClock()
      const places = models.map((model, index) =>
        deployment(model, 'ab'.charAt(index), { health: createDeploymentHealth({ clock: time }) }),
      )
      const model = routed({ clock: time, ids: createCountingIds(), strategy: 'weighted', tiers: [places] })
      const turns = 60 * 20
      for (let index = 0; index < turns; index += 1) {
        await collect(model.choose(PLAIN_TURN).model)
        time.advance(50)
      }
      const calls = models.reduce((sum, { calls }) => sum + calls.length, 0)
      assert.ok(calls >= turns && calls <= turns * 1.2, `${calls} calls for ${turns} turns with ${down} down`)
    }
  })
})

describe('limits of a minute', () => {
  const minute = { rpm: 2, tpm: null }

  it('pass over a deployment that has reached them, until they are over', async () => {
    const [a, b] = [goodOne(), goodOne()]
    const model = group([[deployment(a, 'a', { minute }), deployment(b, 'b')]])
    for (let index = 0; index < 5; index += 1) await collect(model)
    assert.deepEqual(counts(a, b), [2, 3])
    clock.advance(61_000)
    await collect(model)
    assert.deepEqual(counts(a, b), [3, 3])
  })

  it('refuse with the time to come back when all have reached them, before anything is asked', async () => {
    const model = group([[deployment(goodOne(), 'a', { minute }), deployment(goodOne(), 'b', { minute })]])
    for (let index = 0; index < 4; index += 1) await collect(model)
    const refusals = [() => model.choose(PLAIN_TURN), async () => (await collect(model)).error]
    for (const refuse of refusals) {
      const error: unknown = await Promise.resolve()
        .then(refuse)
        .catch((thrown: unknown) => thrown)
      assert.ok(error instanceof ModelError && error.kind === 'rate_limit')
      assert.ok((error.retryAfterMs ?? 0) > 59_000 && (error.retryAfterMs ?? 0) <= 61_000, String(error.retryAfterMs))
    }
  })

  it('count the tokens that a call really cost, where its provider tells', async () => {
    const [a, b] = [goodOne(), goodOne()]
    const reporting = { ...a, stream: (turn: ModelTurn, context: ModelContext) => told(a, turn, context) }
    const places = [deployment(reporting, 'a', { minute: { rpm: null, tpm: 1000 } }), deployment(b, 'b')]
    const model = group([places])
    for (let index = 0; index < 4; index += 1) await collect(model)
    assert.deepEqual(counts(a, b), [3, 1])
  })
})

describe('where a turn goes', () => {
  it('back to the provider whose reasoning it carries', async () => {
    const [a, b] = [goodOne(), goodOne()]
    const model = group([[deployment(a, 'a', { weight: 1000 }), deployment(b, 'b')]])
    const encrypted_content = markState('b', 'opaque')
    const items = [{ id: 'rs_1', type: 'reasoning' as const, summary: [], encrypted_content }]
    assert.equal(model.choose({ ...PLAIN_TURN, items }).provider, 'b')
    assert.equal(model.choose(PLAIN_TURN).provider, 'a')
  })

  it('to one place for one prompt cache key, in shares by weight, and few keys move when a place is lost', () => {
    const names = ['a', 'b', 'c']
    const places = names.map((name) => deployment(goodOne(), name, { weight: name === 'a' ? 2 : 1 }))
    const keys = Array.from({ length: 2000 }, (_, index) => `key-${index}`)
    const chosen = (tier: readonly Deployment[]) =>
      keys.map((promptCacheKey) => group([tier]).choose({ ...PLAIN_TURN, promptCacheKey }).provider)
    const all = chosen(places)
    assert.deepEqual(chosen([...places].reverse()), all)
    const shares = names.map((name) => all.filter((it) => it === name).length / keys.length)
    assert.ok(Math.abs((shares[0] ?? 0) - 0.5) < 0.05 && Math.abs((shares[1] ?? 0) - 0.25) < 0.05, String(shares))
    const without = chosen(places.slice(1))
    const moved = all.filter((place, index) => place !== 'a' && place !== without[index])
    assert.equal(moved.length, 0)
  })

  it('to the deployment with the fewest calls under way', async () => {
    const [a, b] = [goodOne(), goodOne()]
    const places = [deployment(a, 'a'), deployment(b, 'b', { weight: 3 })]
    const model = group([places], { strategy: 'least_busy' })
    const open: AsyncIterator<unknown>[] = []
    for (let index = 0; index < 8; index += 1) {
      const stream = model.stream(PLAIN_TURN, openContext())[Symbol.asyncIterator]()
      await stream.next()
      open.push(stream)
    }
    assert.deepEqual(counts(a, b), [2, 6])
    await open[0]?.return?.()
    for (const stream of open.slice(1)) while (!(await stream.next()).done);
    assert.deepEqual([places[0]?.load.inFlight(), places[1]?.load.inFlight()], [0, 0])
  })

  it('to the quickest deployment', async () => {
    const slow = { ...goodOne(), stream: delayed(goodOne(), 300) }
    const quick = { ...goodOne(), stream: delayed(goodOne(), 20) }
    const model = group([[deployment(slow, 'slow'), deployment(quick, 'quick')]], { strategy: 'latency' })
    for (let index = 0; index < 3; index += 1) await collect(model)
    assert.equal(model.choose(PLAIN_TURN).provider, 'quick')
  })

  it('stays with the deployment it was chosen for, and then with whoever stood in for it', async () => {
    const [a, b] = [createScriptedModel([good, failing('unavailable'), good]), goodOne()]
    const chosen = group([[deployment(a, 'a'), deployment(b, 'b')]]).choose(PLAIN_TURN)
    assert.equal(chosen.provider, 'a')
    for (let index = 0; index < 4; index += 1) await collect(chosen.model)
    assert.deepEqual(counts(a, b), [2, 3])
  })

  it('can do what the chosen one can do, which can do what is asked', () => {
    const blind = createScriptedModel([good], { imageInput: false })
    const chosen = group([[deployment(blind, 'a'), deployment(goodOne(), 'b')]]).choose({
      ...PLAIN_TURN,
      items: [
        {
          id: 'msg_1',
          type: 'message',
          status: 'completed',
          role: 'user',
          content: [{ type: 'input_image', image_url: 'data:image/png;base64,', detail: 'auto' }],
        },
      ],
    })
    assert.deepEqual([chosen.provider, chosen.model.capabilities.imageInput], ['b', true])
  })
})

/** Reports 400 tokens for every call. */
async function* told(inner: ScriptedModel, turn: ModelTurn, context: ModelContext) {
  yield* inner.stream(turn, context)
  context.onAttempt?.({
    provider: 'a',
    model: 'a',
    outcome: 'completed',
    usage: usage(300, 100),
    status: 200,
    durationMs: 1,
    firstEventMs: 1,
    upstreamRequestId: null,
  })
}

const delayed = (inner: ScriptedModel, ms: number) =>
  async function* (turn: ModelTurn, context: ModelContext) {
    clock.advance(ms)
    yield* inner.stream(turn, context)
  }
