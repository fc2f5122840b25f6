/**
 * One server of a simulation: a real engine and a real worker over the shared store, and between them and the store a gate
 * that can be shut. A replica that is dead never hears of the store again; one that is stopped hears of it late, when
 * others may own what it worked on; one that is cut off is told that the store cannot be reached.
 */
import { tmpdir } from 'node:os'
import { openDirectoryBlobs } from '../../src/blobs/directory/directory-blobs.ts'
import { createIsolatedReader } from '../../src/documents/isolated-reader.ts'
import { createEngine } from '../../src/engine/create-engine.ts'
import type { Caller, Engine } from '../../src/engine/engine.ts'
import { createHistoryCache } from '../../src/engine/history.ts'
import { createRunSlots } from '../../src/engine/run-slots.ts'
import { startRunWorker } from '../../src/jobs/run-worker.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { createSeededIds } from '../../src/lib/ids.ts'
import { createOutboundGuard } from '../../src/lib/outbound-guard.ts'
import { createSealedBox } from '../../src/lib/sealed-box.ts'
import { ownReasoning } from '../../src/models/own-reasoning.ts'
import { noPrices } from '../../src/models/price-book.ts'
import { StorageBusy } from '../../src/store/sql/errors.ts'
import type { Store } from '../../src/store/store.ts'
import { silentTelemetry } from '../../src/telemetry/telemetry.ts'
import { createFunctionTool } from '../../src/tools/function/function-tool.ts'
import { TEST_SETTINGS } from '../support/engine-fixture.ts'
import type { World } from './world.ts'

export type Fate = 'alive' | 'stopped' | 'cut-off' | 'dead'

export type Replica = {
  readonly engine: Engine
  fate(): Fate
  become(fate: Fate): void
  caller(projectId: string): Caller
}

const blobs = openDirectoryBlobs(tmpdir())
const documents = createIsolatedReader(systemClock)
const guard = createOutboundGuard({ allowPrivateHosts: [] })
const sealedBox = createSealedBox([{ id: 'simulated', secret: new Uint8Array(32) }], 'simulation')

export type ReplicaOptions = {
  readonly name: string
  /** Puts a fault into the store, behind the gate: what was held up meets it when it comes through. */
  readonly plant: (store: Store) => Store
}

export function startReplica(world: World, { name, plant }: ReplicaOptions): Replica {
  let fate: Fate = 'alive'
  let resume = () => {}
  let resumed = Promise.resolve()
  const pass = async () => {
    await resumed
    // A promise of its own: one for all would keep everything that waits for it.
    if (fate === 'dead') await new Promise<never>(() => {})
    if (fate === 'cut-off') throw new StorageBusy()
  }
  const store = gated(plant(world.store), pass)
  const model = ownReasoning(world.model, 'scripted')
  const engine = createEngine({
    store,
    catalog: {
      resolve: async (asked) => ({ model, name: asked, upstreamModel: asked, provider: 'scripted' }),
      list: async () => [],
      get: async () => null,
    },
    tools: [world.tool, createFunctionTool()],
    cache: createHistoryCache({ maxChains: 0, maxItems: 0 }),
    sealedBox,
    countTokens: async (text) => text.length,
    settings: { ...TEST_SETTINGS, wallClockMs: 3_600_000 },
    clock: world.clock,
    ids: createSeededIds(name),
    telemetry: silentTelemetry,
    onWebhookEvent() {},
    prices: noPrices,
    embedders: { resolve: async () => null, list: async () => [] },
    slots: createRunSlots({ total: 1000, perProject: 1000 }),
    detached: new AbortController().signal,
    transfers: createRunSlots({ total: 1000, perProject: 1000 }, 'uploads'),
    blobs,
    documents,
    guard,
  })
  startRunWorker({
    jobs: store.jobs,
    engine,
    clock: world.clock,
    telemetry: silentTelemetry,
    limits: { perProject: 20, total: 100 },
    onLetGo() {},
  })
  return {
    engine,
    fate: () => fate,
    become(next) {
      fate = next
      resume()
      resumed = next === 'stopped' ? new Promise((resolve) => (resume = resolve)) : Promise.resolve()
    },
    caller: (projectId) => ({
      principal: { projectId, keyId: 'key_a', scopes: new Set(['responses', 'read']) },
      requestId: 'req_simulated',
      signal: new AbortController().signal,
    }),
  }
}

/** Every call waits at the gate first; handles of projects have the same gate. */
function gated<T extends object>(target: T, pass: () => Promise<void>): T {
  return new Proxy(target, {
    get(of, key) {
      const value: unknown = Reflect.get(of, key)
      if (typeof value === 'function') {
        return (...args: unknown[]) => {
          if (key === 'forProject') return gated(Reflect.apply(value, of, args), pass)
          // A wake-up is no question to the store: it comes or does not.
          if (key === 'wakeUp') return Reflect.apply(value, of, args)
          return pass().then(() => Reflect.apply(value, of, args))
        }
      }
      return typeof value === 'object' && value !== null ? gated(value, pass) : value
    },
  })
}
