/** What the use cases that run something are made from. */
import type { EmbedderCatalog } from '../models/embedder.ts'
import type { PriceBook } from '../models/price-book.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { LateWrites } from './late-writes.ts'
import type { OpenCalls } from './open-calls.ts'
import type { OwnRuns } from './own-runs.ts'
import type { PlanDeps } from './plan-run.ts'
import type { FlushTicks } from './run-log.ts'
import type { RunSlots } from './run-slots.ts'

export type CreateDeps = PlanDeps & {
  readonly telemetry: Telemetry
  readonly slots: RunSlots
  readonly lateWrites: LateWrites
  readonly prices: PriceBook
  readonly embedders: EmbedderCatalog
  readonly openCalls: OpenCalls
  /** Told when receivers of webhooks have something to be told. */
  readonly onWebhookEvent: () => void
  readonly ownRuns: OwnRuns
  readonly flushTicks: FlushTicks
  /** Aborted when this server lets its background runs go: readers of their events then have to go elsewhere. */
  readonly detached: AbortSignal
}
