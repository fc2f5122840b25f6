/** What every adapter that calls a provider over HTTP is made from. */
import type { Dispatcher } from 'undici'
import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import type { SseLimits } from '../../lib/sse-decode.ts'
import type { UpstreamClocks } from '../../lib/upstream-http.ts'
import type { Model, ModelCapabilities, ModelTurn, NotCarried } from '../model.ts'
import type { Connection } from './connection.ts'

export type AdapterOptions = Connection & {
  readonly capabilities: ModelCapabilities
  readonly clocks: UpstreamClocks
  readonly clock: Clock
  readonly ids: Ids
  readonly limits?: SseLimits
  /** Where connections come from; by default an own pool that `close` ends. */
  readonly dispatcher?: Dispatcher
}

export interface AdapterModel extends Model {
  /** What this provider will not see of a turn, for planning to refuse or report (law 17). */
  notCarried(turn: ModelTurn): readonly NotCarried[]
  /** Ends the connections, calls in flight included. */
  close(): Promise<void>
}
