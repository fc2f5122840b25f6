/**
 * The laws of `model.ts` as a suite that every adapter runs. An adapter brings recorded replies in its provider's wire
 * format and a way to have its fake provider send them, cut and delayed as the suite asks.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Model, type ModelAttempt, ModelError, type ModelEvent, type ModelTurn } from './model.ts'

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

/** Aborting, and closing the provider's connection, may take this long. */
const ABORT_MS = 1000
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
        `${title}: blocks start, run and end once, finish is once and last, the attempt is told once`,
        async (subject) => {
          subject.deliver({ wire })
          const { events, error, attempts } = await runModel(subject.model, turn)
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
          const whole = flatten((await runModel(subject.model, turn)).events)
          for (const stopBy of ['reset', 'end'] as const) {
            for (const stopAt of cutsOf(wire, completeAt)) {
              subject.deliver({ wire, stopAt, stopBy })
              const { events, error, attempts } = await runModel(subject.model, turn)
              assert.ok(error instanceof ModelError, `${stopBy} after ${stopAt} bytes ended cleanly`)
              assert.notEqual(error.kind, 'aborted')
              const part = flatten(events)
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

    law('counts the tokens of a turn, more for a longer one', async ({ model }) => {
      const context = { signal: new AbortController().signal }
      const short = await model.countInputTokens({ ...first.turn, instructions: null }, context)
      const long = await model.countInputTokens({ ...first.turn, instructions: 'word '.repeat(500) }, context)
      assert.ok(short > 0)
      assert.ok(long - short >= 400 && long - short <= 700, `${short} and ${long}`)
    })
  })
}

// ---- for tests of adapters ------------------------------------------------------------------------------------

export type ModelRun = {
  readonly events: readonly ModelEvent[]
  readonly batches: number
  /** What the stream threw; null when it ended. */
  readonly error: unknown
  readonly attempts: readonly ModelAttempt[]
}

/** Reads a call to its end, whichever that is. */
export async function runModel(
  model: Model,
  turn: ModelTurn,
  signal = new AbortController().signal,
): Promise<ModelRun> {
  const events: ModelEvent[] = []
  const attempts: ModelAttempt[] = []
  let batches = 0
  try {
    for await (const batch of model.stream(turn, { signal, onAttempt: (attempt) => attempts.push(attempt) })) {
      batches++
      events.push(...batch)
    }
    return { events, batches, error: null, attempts }
  } catch (error) {
    return { events, batches, error, attempts }
  }
}

/** The grammar of a whole reply. Throws what is wrong with it. */
export function assertModelEvents(events: readonly ModelEvent[]): void {
  const open = new Map<string, { kind: string; part: number }>()
  const seen = new Set<string>()
  for (const [index, event] of events.entries()) {
    if (event.type === 'finish') {
      assert.equal(index, events.length - 1, 'finish is not last')
      assert.equal(open.size, 0, `finish while blocks are open: ${[...open.keys()]}`)
      continue
    }
    const kind = event.type === 'annotation' ? 'text' : event.type.slice(0, event.type.indexOf('-'))
    const block = open.get(event.id)
    if (event.type.endsWith('-start')) {
      assert.ok(!seen.has(event.id), `block ${event.id} starts twice`)
      seen.add(event.id)
      open.set(event.id, { kind, part: 0 })
      continue
    }
    assert.ok(block, `${event.type} outside of block ${event.id}`)
    assert.equal(block.kind, kind, `${event.type} in a ${block.kind} block`)
    if (event.type.endsWith('-end')) open.delete(event.id)
    if (event.type === 'reasoning-delta') {
      assert.ok(event.part >= block.part, 'the part of a reasoning delta went back')
      block.part = event.part
    }
    if ('delta' in event) assert.ok(event.delta.isWellFormed(), 'a delta holds half a character')
  }
  assert.equal(events.at(-1)?.type, 'finish', 'finish is missing')
}

/** Adjacent deltas of one block as one: how they were cut means nothing. */
export function mergeDeltas(events: readonly ModelEvent[]): readonly ModelEvent[] {
  const merged: ModelEvent[] = []
  for (const event of events) {
    const last = merged.at(-1)
    const joined = last && join(last, event)
    if (joined) merged[merged.length - 1] = joined
    else merged.push(event)
  }
  return merged
}

function join(last: ModelEvent, event: ModelEvent): ModelEvent | null {
  if (last.type === 'text-delta' && event.type === 'text-delta' && last.id === event.id) {
    const logprobs = [...(last.logprobs ?? []), ...(event.logprobs ?? [])]
    return { ...last, delta: last.delta + event.delta, ...(logprobs.length > 0 ? { logprobs } : {}) }
  }
  if (last.type === 'reasoning-delta' && event.type === 'reasoning-delta') {
    const same = last.id === event.id && last.kind === event.kind && last.part === event.part
    return same ? { ...last, delta: last.delta + event.delta } : null
  }
  if (last.type === 'call-delta' && event.type === 'call-delta' && last.id === event.id) {
    return { ...last, delta: last.delta + event.delta }
  }
  if (last.type === 'refusal-delta' && event.type === 'refusal-delta' && last.id === event.id) {
    return { ...last, delta: last.delta + event.delta }
  }
  return null
}

/** One entry per character of a delta, ids by their order: two runs compare whatever their batches and ids. */
function flatten(events: readonly ModelEvent[]): readonly string[] {
  const ids = new Map<string, number>()
  return events.flatMap((event) => {
    if (event.type === 'finish') return ['finish']
    const id = ids.get(event.id) ?? ids.size
    ids.set(event.id, id)
    if (!('delta' in event)) return [JSON.stringify({ ...event, id })]
    const { delta, ...rest } = event
    const head = JSON.stringify({ ...rest, id, logprobs: undefined })
    return [...delta].map((character) => head + character)
  })
}

function cutsOf(wire: Uint8Array, completeAt: number): readonly number[] {
  const end = Math.min(completeAt, wire.length)
  const stride = Math.max(1, end / MAX_CUTS)
  const cuts = Array.from({ length: Math.min(end, MAX_CUTS) }, (_, index) => Math.floor(index * stride))
  return [...new Set([...cuts, end - 1])]
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
