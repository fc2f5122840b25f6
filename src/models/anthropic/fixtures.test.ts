import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  completeAt,
  createTestModel,
  decodeWire,
  fixtureTurn,
  readFixtures,
} from '../../../test/fakes/anthropic-fixtures.ts'
import { type AnthropicReply, startAnthropicUpstream } from '../../../test/fakes/anthropic-upstream.ts'
import { ModelError, type ModelEvent } from '../model.ts'
import { assertModelEvents, mergeDeltas, runModel } from '../model-run.contract.ts'

/** Where each server-sent event ends. */
function eventEnds(wire: Uint8Array): readonly number[] {
  const text = Buffer.from(wire).toString('latin1')
  return [...text.matchAll(/\n\n/g)].map((match) => match.index + match[0].length)
}

describe('replies of the Messages API', () => {
  for (const fixture of readFixtures()) {
    it(`${fixture.name}: gives exactly the expected events`, () => {
      const out: ModelEvent[] = []
      if (fixture.error) {
        assert.throws(
          () => decodeWire(fixture.wire, out),
          (error) =>
            error instanceof ModelError && error.kind === fixture.error?.kind && error.status === fixture.error.status,
        )
      } else decodeWire(fixture.wire, out)
      assert.deepEqual(out, fixture.events)
      if (!fixture.error) assertModelEvents(out)
    })

    it(`${fixture.name}: cut at any byte before its end it fails after a prefix of the events`, () => {
      const whole = JSON.stringify(mergeDeltas(fixture.events)).slice(0, -1)
      for (let size = 0; size < completeAt(fixture); size++) {
        const out: ModelEvent[] = []
        assert.throws(
          () => decodeWire(fixture.wire.subarray(0, size), out),
          (error: Error) => error instanceof ModelError || error.name === 'SseError',
          `cut after ${size} bytes`,
        )
        assert.ok(!out.some(({ type }) => type === 'finish'))
        for (const event of out.filter((one) => !('delta' in one))) {
          assert.ok(whole.includes(JSON.stringify(event)), `cut after ${size} bytes`)
        }
      }
    })

    it(`${fixture.name}: a connection lost after event n, for every n, is a ModelError`, async () => {
      let reply: AnthropicReply = { wire: fixture.wire }
      const upstream = await startAnthropicUpstream({ script: () => reply })
      const model = createTestModel(upstream.url)
      try {
        const whole = await runModel(model, fixtureTurn)
        assert.deepEqual(whole.events, fixture.events)
        const ends = eventEnds(fixture.wire).filter((end) => end < fixture.wire.length)
        for (const stopAt of [0, ...ends]) {
          reply = { wire: fixture.wire, stopAt, stopBy: 'reset' }
          const { events, error, attempts } = await runModel(model, fixtureTurn)
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
