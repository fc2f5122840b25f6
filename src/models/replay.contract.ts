/** Recorded replies of a provider, replayed: whole, cut at every byte, and with the connection lost after every event. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ContractSubject } from './model.contract.ts'
import { ModelError, type ModelEvent, type ModelTurn } from './model.ts'
import { assertModelEvents, mergeDeltas, runModel } from './model-run.contract.ts'

export type RecordedReply = {
  readonly name: string
  readonly wire: Uint8Array
  /** What it must give. */
  readonly events: readonly ModelEvent[]
}

export type ReplaySetup<Reply extends RecordedReply> = {
  readonly replies: readonly Reply[]
  /** The turn a reply answers. */
  turn(reply: Reply): ModelTurn
  /** The decoder alone; events that came before a failure are in `out`. */
  decode(wire: Uint8Array, reply: Reply, out?: ModelEvent[]): readonly ModelEvent[]
  /** The first byte count at which the reply says all it has to say. */
  completeAt(reply: Reply): number
  open(reply: Reply): Promise<ContractSubject>
}

/** Where each server-sent event ends. */
function eventEnds(wire: Uint8Array): readonly number[] {
  const text = Buffer.from(wire).toString('latin1')
  return [...text.matchAll(/\r?\n\r?\n/g)].map((match) => match.index + match[0].length)
}

export function replayContract<Reply extends RecordedReply>(name: string, setup: ReplaySetup<Reply>): void {
  const { replies, turn, decode, completeAt, open } = setup
  describe(`recorded replies of ${name}`, () => {
    for (const reply of replies) {
      it(`${reply.name}: gives exactly the expected events`, () => {
        const events = decode(reply.wire, reply)
        assert.deepEqual(events, reply.events)
        assertModelEvents(events)
      })

      it(`${reply.name}: cut at any byte before its end it fails after a prefix of the events`, () => {
        const whole = JSON.stringify(mergeDeltas(reply.events)).slice(0, -1)
        for (let size = 0; size < completeAt(reply); size++) {
          const out: ModelEvent[] = []
          assert.throws(
            () => decode(reply.wire.subarray(0, size), reply, out),
            (error: Error) => error instanceof ModelError || error.name === 'SseError',
            `cut after ${size} bytes`,
          )
          assert.ok(!out.some(({ type }) => type === 'finish'))
          const closed = out.filter((event) => !('delta' in event))
          for (const event of closed) assert.ok(whole.includes(JSON.stringify(event)), `cut after ${size} bytes`)
        }
      })

      it(`${reply.name}: a connection lost after event n, for every n, is a ModelError`, async () => {
        const subject = await open(reply)
        try {
          subject.deliver({ wire: reply.wire })
          assert.deepEqual((await runModel(subject.model, turn(reply))).events, reply.events)
          const ends = eventEnds(reply.wire).filter((end) => end < reply.wire.length)
          for (const stopAt of [0, ...ends]) {
            subject.deliver({ wire: reply.wire, stopAt, stopBy: 'reset' })
            const { events, error, attempts } = await runModel(subject.model, turn(reply))
            assert.ok(error instanceof ModelError && error.kind === 'connection', `after ${stopAt} bytes: ${error}`)
            assert.deepEqual(events, reply.events.slice(0, events.length))
            assert.deepEqual(
              attempts.map(({ outcome }) => outcome),
              ['failed'],
            )
          }
        } finally {
          await subject.close()
        }
      })
    }
  })
}
