/** A real engine on a real store in a temporary directory, in front of a scripted model. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDirectoryBlobs } from '../../src/blobs/directory/directory-blobs.ts'
import { createIsolatedReader } from '../../src/documents/isolated-reader.ts'
import { createEngine, type EngineDeps } from '../../src/engine/create-engine.ts'
import type { Caller, Engine } from '../../src/engine/engine.ts'
import { createHistoryCache } from '../../src/engine/history.ts'
import type { RunEvent, RunStream } from '../../src/engine/run-event.ts'
import { createRunSlots } from '../../src/engine/run-slots.ts'
import type { EngineSettings } from '../../src/engine/settings.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { createCountingIds } from '../../src/lib/ids.ts'
import { createOutboundGuard } from '../../src/lib/outbound-guard.ts'
import { createSealedBox } from '../../src/lib/sealed-box.ts'
import type { Model } from '../../src/models/model.ts'
import { ownReasoning } from '../../src/models/own-reasoning.ts'
import { noPrices, type PriceBook } from '../../src/models/price-book.ts'
import { createSqliteStore } from '../../src/store/sql/sqlite/sqlite-store.ts'
import type { Store } from '../../src/store/store.ts'
import { silentTelemetry, type Telemetry } from '../../src/telemetry/telemetry.ts'
import { createFunctionTool } from '../../src/tools/function/function-tool.ts'
import type { Tool } from '../../src/tools/tool.ts'

export type EngineFixture = {
  readonly engine: Engine
  readonly store: Store
  /** Where its files lie. */
  readonly directory: string
  readonly deps: EngineDeps
  caller(overrides?: { projectId?: string; signal?: AbortSignal }): Caller
  close(): Promise<void>
}

export const TEST_SETTINGS: EngineSettings = {
  defaultModel: null,
  storeByDefault: true,
  truncationByDefault: 'disabled',
  maxOutputTokensByDefault: null,
  maxToolCallsByDefault: 64,
  toolCallsAtOnce: 8,
  maxPageImages: 20,
  unsupportedParams: null,
  responseTtlSeconds: 3600,
  projects: new Map(),
  chainLimits: { maxResponses: 1000, maxBytes: 32 * 1024 * 1024 },
  background: { maxQueued: 100, logTtlSeconds: 24 * 3600 },
  wallClockMs: 60_000,
  files: {
    fileBytes: 1_000_000,
    uploadBytes: 4_000_000,
    partBytes: 1_000_000,
    projectBytes: 10_000_000,
    projectFiles: 100,
    projectUploads: 10,
    ttlSeconds: null,
  },
}

/** Every model name resolves to `model`. `wrapStore` puts a fault or a witness before the real store. */
export async function openEngine(
  model: Model,
  options: {
    readonly tools?: readonly Tool[]
    readonly settings?: Partial<EngineSettings>
    /** Default: none are known. */
    readonly prices?: PriceBook
    readonly wrapStore?: (store: Store) => Store
    readonly telemetry?: Partial<Telemetry>
  } = {},
): Promise<EngineFixture> {
  const directory = await mkdtemp(join(tmpdir(), 'antiphon-engine-'))
  const real = await createSqliteStore({ path: join(directory, 'antiphon.db'), clock: systemClock })
  const store = options.wrapStore ? options.wrapStore(real) : real
  const resolved = (name: string) => ({
    model: ownReasoning(model, 'scripted'),
    name,
    upstreamModel: name,
    provider: 'scripted',
  })
  const deps: EngineDeps = {
    store,
    catalog: { resolve: async (name) => resolved(name), list: async () => [], get: async () => null },
    tools: options.tools ?? [createFunctionTool()],
    cache: createHistoryCache({ maxChains: 100, maxItems: 10_000 }),
    sealedBox: createSealedBox([{ id: 'test', secret: new Uint8Array(32) }], 'test'),
    countTokens: async (text) => Math.ceil(text.length / 4),
    settings: { ...TEST_SETTINGS, ...options.settings },
    clock: systemClock,
    ids: createCountingIds(),
    telemetry: { ...silentTelemetry, ...options.telemetry },
    onWebhookEvent() {},
    prices: options.prices ?? noPrices,
    embedders: { resolve: async () => null, list: async () => [] },
    slots: createRunSlots({ total: 1000, perProject: 1000 }),
    detached: new AbortController().signal,
    blobs: openDirectoryBlobs(join(directory, 'files')),
    documents: createIsolatedReader(systemClock),
    guard: createOutboundGuard({ allowPrivateHosts: [] }),
    transfers: createRunSlots({ total: 1000, perProject: 1000 }, 'uploads'),
  }
  return {
    engine: createEngine(deps),
    store,
    directory,
    deps,
    caller: ({ projectId = 'proj_a', signal = new AbortController().signal } = {}) => ({
      principal: { projectId, keyId: 'key_a', scopes: new Set(['responses', 'read']) },
      requestId: 'req_test',
      signal,
    }),
    async close() {
      await real.close()
      await rm(directory, { recursive: true })
    },
  }
}

export async function readAll(events: RunStream): Promise<RunEvent[]> {
  const all: RunEvent[] = []
  for await (const batch of events) all.push(...batch)
  return all
}
