import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  collect,
  createManualClock,
  createScriptedModel,
  finish,
  openContext,
  PLAIN_TURN,
  type Script,
  type ScriptedModel,
  textBlock,
} from '../../test/support/decorated-models.ts'
import { createCountingIds, type Ids } from '../lib/ids.ts'
import { ALLOWED_FAILS, COOLDOWN_MS, createDeploymentHealth, type Deployment, fallback } from './fallback-model.ts'
import { ModelError, type ModelErrorKind, type ModelTurn } from './model.ts'

const good: Script = [textBlock('t', 'hi'), [finish()]]
const failing = (kind: ModelErrorKind): Script => [new ModelError(kind, kind)]
const fixedIds = (random: number): Ids => ({ ...createCountingIds(), random: () => random })
const clock = createManualClock()

const deployment = (model: ScriptedModel, upstreamModel: string, weight = 1): Deployment => ({
  model,
  upstreamModel,
  weight,
  health: createDeploymentHealth({ clock }),
})
const group = (tiers: readonly (readonly Deployment[])[], random = 0) =>
  fallback({ clock, ids: fixedIds(random), tiers })

describe('fallback model', () => {
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
    const model = fallback({ clock, ids, tiers: [[deployment(heavy, 'h', 3), deployment(light, 'l', 1)]] })
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
    const model = group([
      [deployment(createScriptedModel([failing('connection')]), 'a')],
      [deployment(createScriptedModel([good]), 'b')],
    ])
    assert.equal(await model.countInputTokens(PLAIN_TURN, openContext()), 7)
  })
})
