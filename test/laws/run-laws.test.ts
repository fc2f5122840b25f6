import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { RunAbort } from '../../src/engine/engine.ts'
import { type RunEvent, toPublicEvent } from '../../src/engine/run-event.ts'
import { ModelError } from '../../src/models/model.ts'
import { isHostedItem } from '../../src/protocol/hosted-items.ts'
import { arbitraryStream } from '../support/arbitrary-stream.ts'
import { readAll } from '../support/engine-fixture.ts'
import { LAW_REQUEST, type LawEngine, openLawEngine } from '../support/law-engine.ts'
import type { Script } from '../support/scripted-model.ts'
import { checkRunLaws } from './run-laws.ts'

const RUNS = { numRuns: 150 }

/** One engine for the whole file; the script changes from run to run. */
let fixture: LawEngine
before(async () => {
  fixture = await openLawEngine()
})
after(() => fixture.close())

type Options = { store?: boolean; stream?: boolean; signal?: AbortSignal; fates?: readonly number[] }

async function run(next: Script, options: Options = {}) {
  fixture.play(next)
  const { signal, fates = [0], ...fields } = options
  fixture.fare(fates)
  const started = await fixture.engine.createResponse(
    { ...LAW_REQUEST, ...fields },
    fixture.caller(signal ? { signal } : {}),
  )
  return readAll(started.events)
}

/** Ids differ from run to run; everything else of two equal runs is equal. */
function withoutIds(events: readonly RunEvent[]): string {
  const seen = new Map<string, string>()
  const json = JSON.stringify(events.map(toPublicEvent), (key, value) =>
    key === 'created_at' || key === 'completed_at' || key === 'encrypted_content' ? 0 : value,
  )
  return json.replaceAll(/[a-z]+_[0-9a-f]{48}/g, (id) => {
    if (!seen.has(id)) seen.set(id, `id${seen.size}`)
    return seen.get(id) ?? id
  })
}

test('any lawful model stream becomes a lawful response stream, whatever its block order', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryStream, async ({ batches }) => {
      checkRunLaws(await run({ batches }, { store: false }))
    }),
    RUNS,
  )
})

/** How slow each call is, and whether it breaks. */
const fates = fc.array(fc.oneof(fc.nat(3), fc.integer({ min: 10, max: 39 })), { minLength: 1, maxLength: 4 })

test('tools that run side by side, each as slow as it likes, leave a lawful stream, also when some of them break', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryStream, fates, async ({ batches }, chosen) => {
      checkRunLaws(await run({ batches }, { store: false, fates: chosen }))
    }),
    RUNS,
  )
})

test('an abort while several tools run ends the stream once, and nothing is told of them afterwards', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryStream, fates, fc.nat(6), async ({ batches }, chosen, turns) => {
      const controller = new AbortController()
      const abort = async () => {
        for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate)
        controller.abort(new RunAbort('cancelled'))
      }
      const before = (index: number) => {
        if (index === batches.length) void abort()
      }
      const response = checkRunLaws(await run({ batches, before }, { signal: controller.signal, fates: chosen }))
      assert.notEqual(response.status, 'in_progress')
    }),
    RUNS,
  )
})

test('how a model stream is cut into batches changes nothing that a client sees', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryStream, async ({ events, batches }) => {
      const whole = await run({ batches: [events] }, { store: false })
      const pieces = await run({ batches }, { store: false })
      assert.equal(withoutIds(pieces), withoutIds(whole))
    }),
    RUNS,
  )
})

test('a model that fails at any point ends the stream once, as failed, with what it had said', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryStream, fc.nat(30), async ({ batches }, at) => {
      const index = at % (batches.length + 1)
      const error = new ModelError('unavailable', 'The provider is down.', { status: 503 })
      const events = await run({ batches, failAt: { index, error } }, { store: false })
      const response = checkRunLaws(events)
      assert.equal(response.status, 'failed')
      assert.equal(response.error?.code, 'server_error')
    }),
    RUNS,
  )
})

test('an abort at any point ends the stream once, as cancelled or as what it had become', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryStream, fc.nat(30), async ({ batches }, at) => {
      const index = at % (batches.length + 2)
      const controller = new AbortController()
      const abort = (next: number) => {
        if (next === index) controller.abort(new RunAbort('reader-gone'))
      }
      const events = await run({ batches, before: abort }, { signal: controller.signal })
      const response = checkRunLaws(events)
      if (controller.signal.aborted) assert.equal(response.status, 'cancelled')
      assert.ok(
        response.output.every(
          (item, position) =>
            position === response.output.length - 1 ||
            isHostedItem(item) ||
            ('status' in item && item.status === 'completed'),
        ),
      )
    }),
    RUNS,
  )
})

test('a run answers the same as JSON, as a stream, and from the store', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryStream, async ({ batches }) => {
      const streamed = await run({ batches }, { stream: true })
      const collected = await run({ batches }, { stream: false })
      assert.equal(withoutIds(collected), withoutIds(streamed))
      for (const events of [streamed, collected]) {
        const response = checkRunLaws(events)
        const stored = await fixture.engine.getResponse(response.id, fixture.caller())
        assert.deepEqual(stored, JSON.parse(JSON.stringify(response)))
      }
    }),
    { numRuns: 60 },
  )
})
