import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  collect,
  createManualClock,
  createScriptedModel,
  finish,
  openContext,
  type Script,
  textBlock,
} from '../../test/support/decorated-models.ts'
import { createCountingIds } from '../lib/ids.ts'
import { ModelError } from './model.ts'
import { PLAIN_TURN } from './plain-turn.ts'
import { createRetryBudget } from './retry-budget.ts'
import { BACKOFF_MS, isRetryable, MAX_ATTEMPTS, retrying } from './retrying-model.ts'

const good: Script = [textBlock('t', 'hi'), [finish()]]
const unavailable = (status = 503) => new ModelError('unavailable', 'down', { status })
const rateLimit = (retryAfterMs: number) => new ModelError('rate_limit', 'slow down', { status: 429, retryAfterMs })
const lost = (code: string) => new ModelError('connection', 'no', { cause: Object.assign(new Error('x'), { code }) })

function setup(scripts: readonly Script[], maxAttempts?: number) {
  const clock = createManualClock(true)
  const inner = createScriptedModel(scripts)
  const budget = createRetryBudget({ clock })
  return { clock, inner, model: retrying(inner, { clock, ids: createCountingIds(), budget, maxAttempts }) }
}

describe('retrying model', () => {
  it('repeats a call that failed before its first batch, and delivers the one that works', async () => {
    const { inner, model } = setup([[unavailable()], [unavailable(529)], good])
    const { events, error } = await collect(model)
    assert.equal(error, null)
    assert.deepEqual(events, [...textBlock('t', 'hi'), finish()])
    assert.equal(inner.calls.length, 3)
  })

  it('gives up after three calls, with the last error', async () => {
    const { inner, model } = setup([[unavailable(500)], [unavailable(502)], [unavailable(504)], good])
    const { error } = await collect(model)
    assert.ok(error instanceof ModelError && error.status === 504)
    assert.equal(inner.calls.length, MAX_ATTEMPTS)
  })

  it('never repeats once a batch was seen', async () => {
    const { inner, model } = setup([[textBlock('t', 'a'), unavailable()], good])
    const { events, error } = await collect(model)
    assert.equal(events.length, 3)
    assert.ok(error instanceof ModelError)
    assert.equal(inner.calls.length, 1)
  })

  it('makes exactly one call for failures that a repetition cannot help', async () => {
    for (const error of [
      new ModelError('invalid_request', 'bad', { status: 400 }),
      new ModelError('auth', 'no', { status: 401 }),
      new ModelError('model_not_found', 'no', { status: 404 }),
      new ModelError('context_length', 'long', { status: 500 }),
      new ModelError('unavailable', 'odd', { status: 501 }),
      new ModelError('timeout', 'silent'),
      new ModelError('malformed', 'html'),
      lost('ECONNRESET'),
      lost('UND_ERR_SOCKET'),
      new TypeError('ours'),
    ]) {
      const { inner, model } = setup([[error], good])
      assert.equal((await collect(model)).error, error)
      assert.equal(inner.calls.length, 1, error.message)
    }
  })

  it('repeats connections that were never made, also when every address refused', () => {
    assert.ok(isRetryable(lost('ECONNREFUSED')))
    assert.ok(
      isRetryable(
        new ModelError('timeout', 'x', { cause: new Error('y', { cause: lost('UND_ERR_CONNECT_TIMEOUT') }) }),
      ),
    )
    const each = Object.assign(new Error('x'), { code: 'ECONNREFUSED' })
    assert.ok(isRetryable(new ModelError('connection', 'x', { cause: new AggregateError([each, each]) })))
  })

  it('backs off with full jitter below 0.5 s, then below 1 s', async () => {
    const { clock, model } = setup([[unavailable()], [unavailable()], good])
    await collect(model)
    const [first = -1, second = -1] = clock.delays
    assert.ok(first >= 0 && first < BACKOFF_MS)
    assert.ok(second >= 0 && second < 2 * BACKOFF_MS)
  })

  it('waits as long as the upstream asks, but passes on what asks for too long', async () => {
    const short = setup([[rateLimit(1500)], good])
    assert.equal((await collect(short.model)).error, null)
    assert.deepEqual(short.clock.delays, [1500])

    const long = setup([[rateLimit(2001)], good])
    const { error } = await collect(long.model)
    assert.ok(error instanceof ModelError && error.retryAfterMs === 2001)
    assert.equal(long.inner.calls.length, 1)

    const down = (retryAfterMs: number) => new ModelError('unavailable', 'down', { status: 503, retryAfterMs })
    assert.equal((await collect(setup([[down(30_000)], good]).model)).error, null)
    assert.notEqual((await collect(setup([[down(30_001)], good]).model)).error, null)
  })

  it('stops at once when the caller leaves during the wait', async () => {
    const clock = createManualClock()
    const inner = createScriptedModel([[unavailable()], good])
    const model = retrying(inner, { clock, ids: createCountingIds(), budget: createRetryBudget({ clock }) })
    const controller = new AbortController()
    const running = collect(model, undefined, openContext(controller.signal))
    setImmediate(() => controller.abort())
    const { error } = await running
    assert.ok(error instanceof ModelError && error.kind === 'aborted')
    assert.equal(inner.calls.length, 1)
  })

  it('closes the upstream when its reader leaves', async () => {
    const { inner, model } = setup([good])
    for await (const _batch of model.stream(PLAIN_TURN, openContext())) break
    assert.equal(inner.left(), 1)
  })

  it('never makes more than three calls and never one after the first batch, whatever happens', async () => {
    const step = fc.constantFrom<Script>(
      [unavailable()],
      [rateLimit(0)],
      [lost('ECONNREFUSED')],
      [new TypeError('ours')],
      good,
      [textBlock('t', 'x'), unavailable()],
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (scripts) => {
        const { inner, model } = setup(scripts)
        const { events } = await collect(model)
        assert.ok(inner.calls.length <= MAX_ATTEMPTS)
        const firstSeen = scripts.findIndex((script) => !(script[0] instanceof Error))
        if (firstSeen !== -1) assert.ok(inner.calls.length <= firstSeen + 1)
        if (events.length > 0) assert.equal(inner.calls.length, firstSeen + 1)
      }),
    )
  })

  it('keeps an always failing upstream below 1.2 calls per request', async () => {
    const clock = createManualClock(true)
    const inner = createScriptedModel([[unavailable(500)]])
    const model = retrying(inner, {
      clock: { ...clock, monotonic: () => 0 },
      ids: createCountingIds(),
      budget: createRetryBudget({ clock: { ...clock, monotonic: () => 0 } }),
    })
    for (let index = 0; index < 1000; index += 1) await collect(model)
    assert.ok(inner.calls.length >= 1090 && inner.calls.length <= 1200, String(inner.calls.length))
  })
})
