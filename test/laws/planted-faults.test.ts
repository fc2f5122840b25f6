/** The law checks are only worth what they catch: each planted fault here must be found. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { RunAbort } from '../../src/engine/engine.ts'
import { type Recorder, recordEvents } from '../../src/engine/record-events.ts'
import { isTerminal, type RunBatch, type RunEvent, type RunStream } from '../../src/engine/run-event.ts'
import { type EngineFixture, openEngine, readAll } from '../support/engine-fixture.ts'
import { finish, saying, scriptedModel } from '../support/scripted-model.ts'
import { checkRunLaws } from './run-laws.ts'

const model = scriptedModel([
  {
    batches: [
      [
        { type: 'reasoning-start', id: 'r' },
        { type: 'reasoning-delta', id: 'r', kind: 'text', part: 0, delta: 'hm' },
        { type: 'reasoning-end', id: 'r' },
        { type: 'text-start', id: 't' },
        { type: 'text-delta', id: 't', delta: 'Hello ' },
        { type: 'text-delta', id: 't', delta: 'there' },
        { type: 'text-end', id: 't' },
        finish(),
      ],
    ],
  },
])
let fixture: EngineFixture
let sound: RunEvent[]
before(async () => {
  fixture = await openEngine(model)
  const run = await fixture.engine.createResponse({ model: 'm', input: 'hi' }, fixture.caller())
  sound = await readAll(run.events)
})
after(() => fixture.close())

const renumber = (events: readonly RunEvent[]): RunEvent[] =>
  events.map((event, sequence_number) => ({ ...event, sequence_number }))

const without = (type: RunEvent['type'], nth = 0): RunEvent[] => {
  let seen = 0
  return renumber(sound.filter((event) => event.type !== type || seen++ !== nth))
}

test('the law checks accept the sound run that the faults are planted into', () => {
  checkRunLaws(sound)
})

test('a skipped done is caught', () => {
  assert.throws(() => checkRunLaws(without('response.output_item.done', 0)))
  assert.throws(() => checkRunLaws(without('response.content_part.done', 1)))
})

test('a reused output index is caught', () => {
  const reused = sound.map((event) =>
    'output_index' in event && event.output_index === 1 ? { ...event, output_index: 0 } : event,
  )
  assert.throws(() => checkRunLaws(reused))
})

test('a forgotten delta is caught', () => {
  assert.throws(() => checkRunLaws(without('response.output_text.delta', 1)))
})

test('a gap and a repeat in the sequence numbers are caught', () => {
  assert.throws(() => checkRunLaws(sound.filter((_, index) => index !== 5)))
  assert.throws(() => checkRunLaws(sound.flatMap((event, index) => (index === 5 ? [event, event] : [event]))))
})

/** Law 6 as a check: when the terminal event is told, the commit that holds it has been made. */
async function checkDurableBeforeTold(tap: (events: RunStream, recorder: Recorder) => RunStream): Promise<void> {
  let committed = false
  const recorder: Recorder = {
    finish: async () => {
      await new Promise((resolve) => setImmediate(resolve))
      committed = true
      return 'kept'
    },
    onOver: () => {},
    onLost: (error) => assert.fail(String(error)),
    onEnd: () => {},
  }
  const source = async function* (): AsyncGenerator<RunBatch> {
    yield sound
  }
  for await (const batch of tap(source(), recorder)) {
    if (batch.some(isTerminal)) assert.ok(committed, 'the terminal event was told before it was durable')
  }
}

test('publishing before persisting is caught', async () => {
  await checkDurableBeforeTold(recordEvents)
  const publishFirst = async function* (events: RunStream, recorder: Recorder): AsyncGenerator<RunBatch> {
    for await (const batch of events) {
      yield batch
      const last = batch.at(-1)
      if (last && isTerminal(last)) await recorder.finish(last)
    }
  }
  await assert.rejects(checkDurableBeforeTold(publishFirst))
})

/** Law 7 as a check: after the reader has left, the run still comes to its end and is stored as cancelled. */
async function checkDrained(sink: (events: RunStream, left: AbortController) => Promise<void>): Promise<void> {
  const slow = await openEngine(scriptedModel([saying('one ', 'two ', 'three ', 'four ')]))
  try {
    const left = new AbortController()
    const run = await slow.engine.createResponse(
      { model: 'm', input: 'hi', stream: true },
      slow.caller({ signal: left.signal }),
    )
    await sink(run.events, left)
    const stored = await slow.engine.getResponse(run.responseId, slow.caller())
    assert.equal(stored.status, 'cancelled')
    const [item] = stored.output
    assert.equal(item && 'status' in item && item.status, 'incomplete')
  } finally {
    await slow.close()
  }
}

test('a sink that returns instead of draining is caught', async () => {
  await checkDrained(async (events, left) => {
    let batches = 0
    for await (const _ of events) if (++batches === 3) left.abort(new RunAbort('reader-gone'))
  })
  await assert.rejects(
    checkDrained(async (events, left) => {
      let batches = 0
      for await (const _ of events) {
        if (++batches < 3) continue
        left.abort(new RunAbort('reader-gone'))
        break
      }
    }),
  )
})
