import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TEST_CAPABILITIES } from '../../../test/fakes/chat-fixtures.ts'
import type { ScriptedReply } from '../../../test/fakes/chat-upstream.ts'
import { completeAt, decodeWire, fixtureTurn, readFixtures } from '../../../test/fakes/responses-fixtures.ts'
import { startResponsesUpstream } from '../../../test/fakes/responses-upstream.ts'
import { systemClock } from '../../lib/clock.ts'
import { createCountingIds } from '../../lib/ids.ts'
import { DEFAULT_UPSTREAM_CLOCKS } from '../../lib/upstream-http.ts'
import { ModelError, type ModelEvent } from '../model.ts'
import { assertModelEvents, mergeDeltas, runModel } from '../model-run.contract.ts'
import { createResponsesModel } from './responses-model.ts'

/** Where each server-sent event ends. */
function eventEnds(wire: Uint8Array): readonly number[] {
  const text = Buffer.from(wire).toString('latin1')
  return [...text.matchAll(/\n\n/g)].map((match) => match.index + match[0].length)
}

describe('recorded replies of Responses endpoints', () => {
  for (const fixture of readFixtures()) {
    it(`${fixture.name}: gives exactly the expected events`, () => {
      const events = decodeWire(fixture.wire, fixture)
      assert.deepEqual(events, fixture.events)
      assertModelEvents(events)
    })

    it(`${fixture.name}: cut at any byte before its end it fails after a prefix of the events`, () => {
      const whole = JSON.stringify(mergeDeltas(fixture.events)).slice(0, -1)
      for (let size = 0; size < completeAt(fixture); size++) {
        const out: ModelEvent[] = []
        assert.throws(
          () => decodeWire(fixture.wire.subarray(0, size), fixture, out),
          (error: Error) => error instanceof ModelError || error.name === 'SseError',
          `cut after ${size} bytes`,
        )
        assert.ok(!out.some(({ type }) => type === 'finish'))
        const closed = out.filter((event) => !('delta' in event))
        for (const event of closed) assert.ok(whole.includes(JSON.stringify(event)), `cut after ${size} bytes`)
      }
    })

    it(`${fixture.name}: a connection lost after event n, for every n, is a ModelError`, async () => {
      let reply: ScriptedReply = {}
      const upstream = await startResponsesUpstream({ script: () => reply })
      const model = createResponsesModel({
        provider: 'acme',
        baseUrl: upstream.url,
        apiKey: null,
        quirks: { customTools: true },
        capabilities: TEST_CAPABILITIES,
        clocks: DEFAULT_UPSTREAM_CLOCKS,
        clock: systemClock,
        ids: createCountingIds(),
      })
      try {
        const ends = eventEnds(fixture.wire).filter((end) => end < completeAt(fixture))
        for (const stopAt of [0, ...ends]) {
          reply = { wire: fixture.wire, stopAt, stopBy: 'reset' }
          const { events, error, attempts } = await runModel(model, fixtureTurn(fixture))
          assert.ok(error instanceof ModelError && error.kind === 'connection', `after ${stopAt} bytes: ${error}`)
          assert.deepEqual(events, fixture.events.slice(0, events.length))
          assert.deepEqual(
            attempts.map(({ outcome }) => outcome),
            ['failed'],
          )
        }
      } finally {
        await model.close()
        await upstream.close()
      }
    })
  }
})
