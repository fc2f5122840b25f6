/**
 * The laws of `model.ts` as a suite that every adapter runs. An adapter brings recorded replies in its provider's wire
 * format and a way to have its fake provider send them, cut and delayed as the suite asks.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Model, type ModelAttempt, ModelError, type ModelEvent, type ModelTurn } from './model.ts'
import { assertModelEvents, flattenEvents, mergeDeltas, runModel } from './model-run.contract.ts'

/** How the fake provider sends the next reply. */
export type ContractDelivery = {
  readonly wire: Uint8Array
  /** Bytes per write; by default all at once. */
  readonly split?: number
  /** After that many bytes: the connection is reset, the reply ends as if it were whole, or nothing more comes. */
  readonly stopAt?: number
  readonly stopBy?: 'reset' | 'end' | 'hang'
  /** Not even a status line. */
  readonly silent?: boolean
  /** A refusal with this status instead of the reply. */
  readonly status?: number
}

/** A model, and the provider behind it. */
export interface ContractSubject {
  readonly model: Model
  /** Sets what every call from now on is answered with. */
  deliver(delivery: ContractDelivery): void
  /** Calls that reached the provider. */
  calls(): number
  /** Calls whose connection the model has not closed and whose reply is not over. */
  openCalls(): number
  close(): Promise<void>
}

export type ContractCase = {
  readonly name: string
  readonly turn: ModelTurn
  readonly wire: Uint8Array
  /** The first byte count at which the reply says all it has to say. Cut before it, it must fail. */
  readonly completeAt: number
}

export type ContractSetup = {
  readonly open: () => Promise<ContractSubject>
  readonly cases: readonly [ContractCase, ...ContractCase[]]
}

/** Aborting, and closing the provider's connection, may take this long; on a quiet machine it is milliseconds. */
const ABORT_MS = 20_000
/** At most so many places of a reply are cut; every byte of a short one. */
const MAX_CUTS = 40

export function modelContract(name: string, { open, cases }: ContractSetup): void {
  const law = (title: string, check: (subject: ContractSubject) => Promise<void>) =>
    it(title, async () => {
      const subject = await open()
      try {
        await check(subject)
      } finally {
        await subject.close()
      }
    })
  const [first] = cases

  describe(`${name} keeps the laws of a model`, () => {
    for (const { name: title, turn, wire, completeAt } of cases) {
      law(
        `${title}: blocks start, run and end once, finish is once and last, the attempt is told once (req 196)`,
        async (subject) => {
          subject.deliver({ wire })
          const { events, error, attempts, told } = await runModel(subject.model, turn)
          assertTold(told)
          assert.equal(error, null)
          assertModelEvents(events)
          assert.deepEqual(outcomes(attempts), ['completed'])
          assert.deepEqual(attempts[0]?.usage, usageOf(events))
        },
      )

      law(`${title}: however the bytes are cut, the events are the same`, async (subject) => {
        subject.deliver({ wire })
        const whole = mergeDeltas((await runModel(subject.model, turn)).events)
        for (const split of [1, 2, 7, 64, 1021]) {
          subject.deliver({ wire, split })
          const { events, error } = await runModel(subject.model, turn)
          assert.equal(error, null)
          assert.deepEqual(mergeDeltas(events), whole, `in writes of ${split} bytes`)
        }
      })

      law(
        `${title}: a reply cut short is a ModelError after a prefix of its events, never a clean end`,
        async (subject) => {
          subject.deliver({ wire })
          const whole = flattenEvents((await runModel(subject.model, turn)).events)
          for (const stopBy of ['reset', 'end'] as const) {
            for (const stopAt of cutsOf(wire, completeAt)) {
              subject.deliver({ wire, stopAt, stopBy })
              const { events, error, attempts, told } = await runModel(subject.model, turn)
              assertTold(told)
              assert.ok(error instanceof ModelError, `${stopBy} after ${stopAt} bytes ended cleanly`)
              assert.notEqual(error.kind, 'aborted')
              const part = flattenEvents(events)
              assert.deepEqual(part, whole.slice(0, part.length), `${stopBy} after ${stopAt} bytes`)
              assert.ok(!events.some(({ type }) => type === 'finish'))
              assert.deepEqual(outcomes(attempts), ['failed'])
            }
          }
        },
      )
    }

    law('yields nothing when the provider refuses, and throws a ModelError that names no address', async (subject) => {
      for (const status of [400, 401, 403, 404, 429, 500, 503]) {
        subject.deliver({ wire: first.wire, status })
        const { events, error, attempts } = await runModel(subject.model, first.turn)
        assert.deepEqual(events, [])
        assert.ok(error instanceof ModelError)
        assert.equal(error.status, status)
        assert.doesNotMatch(error.message, /https?:|\d+\.\d+\.\d+\.\d+/)
        assert.deepEqual(outcomes(attempts), ['failed'])
        assert.equal(attempts[0]?.status, status)
      }
    })

    law('does not call the provider when the signal has aborted before', async (subject) => {
      subject.deliver({ wire: first.wire })
      const { events, error, attempts } = await runModel(subject.model, first.turn, AbortSignal.abort())
      assert.deepEqual(events, [])
      assert.ok(error instanceof ModelError && error.kind === 'aborted')
      assert.equal(subject.calls(), 0)
      assert.deepEqual(outcomes(attempts), [])
    })

    const ABORTS: readonly (readonly [string, (wire: Uint8Array) => ContractDelivery])[] = [
      ['before the status line', (wire) => ({ wire, silent: true })],
      ['before the first byte', (wire) => ({ wire, stopAt: 0, stopBy: 'hang' })],
      ['in the middle', (wire) => ({ wire, stopAt: Math.floor(wire.length / 2), stopBy: 'hang' })],
    ]
    for (const [when, delivery] of ABORTS) {
      law(`ends with 'aborted' and closes the provider's connection within a second: ${when}`, async (subject) => {
        subject.deliver(delivery(first.wire))
        const controller = new AbortController()
        const running = runModel(subject.model, first.turn, controller.signal)
        await until(() => subject.openCalls() === 1, 2000)
        await pause(20)
        const start = performance.now()
        controller.abort()
        const { error, attempts } = await running
        assert.ok(error instanceof ModelError && error.kind === 'aborted', String(error))
        await until(() => subject.openCalls() === 0, ABORT_MS)
        assert.ok(performance.now() - start < ABORT_MS)
        assert.deepEqual(outcomes(attempts), ['aborted'])
      })
    }

    law("closes the provider's connection on abort even when nobody reads on", async (subject) => {
      subject.deliver({ wire: first.wire, stopAt: Math.floor(first.wire.length / 2), stopBy: 'hang' })
      const controller = new AbortController()
      const batches = subject.model.stream(first.turn, { signal: controller.signal })[Symbol.asyncIterator]()
      await batches.next()
      controller.abort()
      await until(() => subject.openCalls() === 0, ABORT_MS)
      await assert.rejects(async () => {
        for (;;) if ((await batches.next()).done) return
      }, ModelError)
    })

    law("closes the provider's connection when its reader stops reading", async (subject) => {
      subject.deliver({ wire: first.wire, stopAt: Math.floor(first.wire.length / 2), stopBy: 'hang' })
      const attempts: ModelAttempt[] = []
      const context = {
        signal: new AbortController().signal,
        onAttempt: (attempt: ModelAttempt) => attempts.push(attempt),
      }
      for await (const _ of subject.model.stream(first.turn, context)) break
      await until(() => subject.openCalls() === 0, ABORT_MS)
      assert.deepEqual(outcomes(attempts), ['aborted'])
    })

    law('serves many calls at once without mixing them', async (subject) => {
      subject.deliver({ wire: first.wire, split: 16 })
      const runs = await Promise.all(Array.from({ length: 8 }, () => runModel(subject.model, first.turn)))
      const [one, ...others] = runs.map(({ events }) => mergeDeltas(events))
      for (const other of others) assert.deepEqual(other, one)
    })

    law('counts the tokens of a turn, more for a longer one', ({ model }) => assertCounts(model, first.turn))
  })
}

export type LocalContractSetup = {
  readonly model: Model
  readonly turns: readonly { readonly name: string; readonly turn: ModelTurn }[]
  /** A turn whose reply takes more than a second, in several batches. */
  readonly slowTurn: ModelTurn
}

/** The same laws for a model without a provider behind it. */
export function localModelContract(name: string, { model, turns, slowTurn }: LocalContractSetup): void {
  describe(`${name} keeps the laws of a model`, () => {
    for (const { name: title, turn } of turns) {
      it(`${title}: blocks start, run and end once, finish is once and last, the attempt is told once`, async () => {
        const { events, error, attempts, told } = await runModel(model, turn)
        assertTold(told)
        assert.equal(error, null)
        assertModelEvents(events)
        assert.deepEqual(outcomes(attempts), ['completed'])
        assert.deepEqual(attempts[0]?.usage, usageOf(events))
      })
    }

    it('yields nothing when the signal has aborted before', async () => {
      const { events, error } = await runModel(model, slowTurn, AbortSignal.abort())
      assert.deepEqual(events, [])
      assert.ok(error instanceof ModelError && error.kind === 'aborted')
    })

    it("ends with 'aborted' within a second of the abort, without a finish", async () => {
      const controller = new AbortController()
      const running = runModel(model, slowTurn, controller.signal)
      await pause(50)
      const start = performance.now()
      controller.abort()
      const { events, error, attempts } = await running
      assert.ok(performance.now() - start < ABORT_MS)
      assert.ok(error instanceof ModelError && error.kind === 'aborted', String(error))
      assert.ok(!events.some(({ type }) => type === 'finish'))
      assert.deepEqual(outcomes(attempts), ['aborted'])
    })

    it('tells the attempt once when its reader stops reading', async () => {
      const attempts: ModelAttempt[] = []
      const context = {
        signal: new AbortController().signal,
        onAttempt: (attempt: ModelAttempt) => attempts.push(attempt),
      }
      for await (const _ of model.stream(slowTurn, context)) break
      assert.deepEqual(outcomes(attempts), ['aborted'])
    })

    it('counts the tokens of a turn, more for a longer one', () => assertCounts(model, slowTurn))
  })
}

async function assertCounts(model: Model, turn: ModelTurn): Promise<void> {
  const context = { signal: new AbortController().signal }
  const short = await model.countInputTokens({ ...turn, instructions: null }, context)
  const long = await model.countInputTokens({ ...turn, instructions: 'word '.repeat(500) }, context)
  assert.ok(short > 0)
  assert.ok(long - short >= 400 && long - short <= 700, `${short} and ${long}`)
}

function cutsOf(wire: Uint8Array, completeAt: number): readonly number[] {
  const end = Math.min(completeAt, wire.length)
  const stride = Math.max(1, end / MAX_CUTS)
  const cuts = Array.from({ length: Math.min(end, MAX_CUTS) }, (_, index) => Math.floor(index * stride))
  return [...new Set([...cuts, end - 1])]
}

/** One call at a time, each told before it is made and when it ended (law 18). */
function assertTold(told: readonly string[]): void {
  assert.ok(told.length > 0 && told.length % 2 === 0, told.join(', '))
  for (const [at, one] of told.entries()) {
    if (at % 2 === 0) assert.match(one, /^call /)
    else assert.equal(one, told[at - 1]?.replace(/^call/, 'end'))
  }
}

const outcomes = (attempts: readonly ModelAttempt[]) => attempts.map(({ outcome }) => outcome)
const usageOf = (events: readonly ModelEvent[]) => {
  const last = events.at(-1)
  return last?.type === 'finish' ? last.usage : null
}
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function until(condition: () => boolean, timeoutMs: number): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!condition()) {
    assert.ok(performance.now() < end, `did not happen within ${timeoutMs} ms`)
    await pause(2)
  }
}
