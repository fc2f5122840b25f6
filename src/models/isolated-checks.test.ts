import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '../lib/clock.ts'
import { createIsolatedChecks, MAX_WAITING_CHECKS } from './isolated-checks.ts'

/** For checks that end by themselves, on a machine that does much else. */
const PATIENT_MS = 20_000
const { signal } = new AbortController()
const regex = (source: string, text: string) => ({ kind: 'regex', source, flags: 'u', text }) as const

describe('isolated checks', () => {
  it('tells matching from other text, and names a broken pattern', async () => {
    const checks = createIsolatedChecks({ clock: systemClock, timeoutMs: PATIENT_MS })
    assert.deepEqual(await checks.run(regex('^a+$', 'aaa'), signal), { outcome: 'valid' })
    assert.equal((await checks.run(regex('^a+$', 'aab'), signal)).outcome, 'invalid')
    assert.equal((await checks.run(regex('(', 'x'), signal)).outcome, 'undecided')
    await checks.close()
  })

  it('names what is wrong with a value, and where', async () => {
    const checks = createIsolatedChecks({ clock: systemClock, timeoutMs: PATIENT_MS })
    const schema = { type: 'object', properties: { n: { $ref: '#/$defs/n' } }, $defs: { n: { type: 'integer' } } }
    const result = await checks.run({ kind: 'schema', schema, value: { n: 'x' } }, signal)
    assert.deepEqual(result, { outcome: 'invalid', problems: ['/n must be integer'] })
    assert.equal((await checks.run({ kind: 'schema', schema: { $ref: '#' }, value: 1 }, signal)).outcome, 'undecided')
    await checks.close()
  })

  it('stops a pattern that backtracks without end, keeps this thread free meanwhile, and works on', async () => {
    const checks = createIsolatedChecks({ clock: systemClock, timeoutMs: 1_000 })
    await checks.run(regex('a', 'a'), signal)
    let ticks = 0
    const timer = setInterval(() => (ticks += 1), 5)
    const [slow, next] = await Promise.all([
      checks.run(regex('^(a+)+$', `${'a'.repeat(60)}b`), signal),
      checks.run(regex('a', 'a'), signal),
    ])
    clearInterval(timer)
    assert.deepEqual(slow, { outcome: 'undecided', reason: 'it took more than 1000 ms' })
    assert.deepEqual(next, { outcome: 'valid' })
    assert.ok(ticks >= 5)
    await checks.close()
  })

  it('lets go of a caller who left, and still runs the checks behind', async () => {
    const checks = createIsolatedChecks({ clock: systemClock, timeoutMs: PATIENT_MS })
    const controller = new AbortController()
    const slow = checks.run(regex('^(a+)+$', `${'a'.repeat(60)}b`), controller.signal)
    const next = checks.run(regex('a', 'a'), signal)
    controller.abort()
    await assert.rejects(slow, { name: 'ModelError', kind: 'aborted' })
    assert.deepEqual(await next, { outcome: 'valid' })
    await checks.close()
  })

  it('refuses at once when too many wait', async () => {
    const checks = createIsolatedChecks({ clock: systemClock, timeoutMs: PATIENT_MS })
    const waiting = Array.from({ length: MAX_WAITING_CHECKS }, () => checks.run(regex('a', 'a'), signal))
    await assert.rejects(checks.run(regex('a', 'a'), signal), { name: 'ModelError', kind: 'unavailable' })
    for (const result of await Promise.all(waiting)) assert.equal(result.outcome, 'valid')
    await checks.close()
  })
})
