/** What the parts of the store are made from. */
import type { Clock } from '../../../lib/clock.ts'
import type { Database } from './database.ts'

export type StoreParts = {
  readonly database: Database
  readonly clock: Clock
  /** The number under which this process holds what it runs; registers it the first time. */
  owner(): Promise<number>
  /** Makes the row of a project where there is none. */
  ensureProject(projectId: string): Promise<void>
  /** For writes that nobody waits for: the store waits for them when it closes. */
  outlast<T>(write: Promise<T>): Promise<T>
}
