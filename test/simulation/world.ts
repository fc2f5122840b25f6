/**
 * What all replicas of a simulation share: a real store, time that is moved by hand, a model, and a tool that must not run twice.
 * No machine dies here, only processes, so the store need not wait for the disk: half of the time went there.
 */
import '../load/synchronous-off.ts'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, sleep } from '../../src/lib/clock.ts'
import { type Model, ModelError, type ModelEvent, type TurnItem } from '../../src/models/model.ts'
import { createSqliteStore } from '../../src/store/sql/sqlite/sqlite-store.ts'
import type { Store } from '../../src/store/store.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { finish, scriptedModel } from '../support/scripted-model.ts'
import { CODE_NAME, runCode, type ScriptedTool, scriptedCodeTool } from '../support/scripted-tool.ts'
import type { Chance } from './seeded.ts'

export type World = {
  readonly store: Store
  readonly clock: Clock
  readonly model: Model
  readonly tool: ScriptedTool
  /** Lets `ms` pass, and then everything happen that needs no more time. */
  pass(ms: number): Promise<void>
  /** Whose chance decides how long models and tools take, and whether they fail. */
  follow(chance: Chance): void
  close(): Promise<void>
}

/** More turns of the event loop than any chain of our own between two waits for time. */
const SETTLE_TURNS = 24

export async function openWorld(): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'antiphon-simulation-'))
  const time = createManualClock()
  const { clock } = time
  const store = await createSqliteStore({ path: join(directory, 'antiphon.db'), clock })
  let chance: Chance | null = null
  const take = () => {
    if (chance === null) throw new Error('no seed decides')
    return chance
  }
  // Half of the time at once: then what is said shares a write with what was said before, and in another run it does not.
  const wait = async (signal: AbortSignal) => take().happens(0.5) || (await sleep(clock, take().below(2_500), signal))
  return {
    store,
    clock,
    model: createModel(wait, () => take().happens(0.03)),
    tool: scriptedCodeTool(async function* (call, context) {
      await wait(context.signal)
      context.signal.throwIfAborted()
      if (take().happens(0.05)) throw new Error('it broke')
      return yield* runCode(call)
    }),
    async pass(ms) {
      time.advance(ms)
      for (let turn = 0; turn < SETTLE_TURNS; turn++) await new Promise(setImmediate)
    },
    follow: (next) => {
      chance = next
    },
    async close() {
      await store.close()
      await rm(directory, { recursive: true })
    },
  }
}

/** Calls the tool as often as the question says, and then answers: by what it is shown, as a real model goes. */
function createModel(wait: (signal: AbortSignal) => Promise<unknown>, fails: () => boolean): Model {
  return {
    ...scriptedModel([]),
    async *stream(turn, { signal }) {
      for (const batch of batchesOf(turn.items)) {
        await wait(signal)
        if (signal.aborted) throw new ModelError('aborted', 'aborted')
        if (fails()) throw new ModelError('unavailable', 'the provider is gone')
        yield batch
      }
    },
  }
}

function batchesOf(items: readonly TurnItem[]): ModelEvent[][] {
  const wanted = Number(/calls: (\d+)/.exec(JSON.stringify(items))?.[1] ?? 0)
  const made = items.filter(({ type }) => type === 'function_call_output').length
  if (made < wanted) {
    return [
      [{ type: 'call-start', id: 'c', kind: 'function', callId: null, name: CODE_NAME }],
      [
        { type: 'call-delta', id: 'c', delta: `{"n":${made}}` },
        { type: 'call-end', id: 'c' },
      ],
      [finish('tool_calls')],
    ]
  }
  return [
    [{ type: 'text-start', id: 't' }],
    ...['Done ', 'after ', `${made}`, ' of ', `${wanted}.`].map((delta): ModelEvent[] => [
      { type: 'text-delta', id: 't', delta },
    ]),
    [{ type: 'text-end', id: 't' }, finish()],
  ]
}
