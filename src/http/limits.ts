/** Every number of the edge (law 19). Times in milliseconds, sizes in bytes. */
export type HttpLimits = {
  /** A JSON body, as sent and as decoded. */
  readonly bodyBytes: number
  readonly jsonDepth: number
  readonly jsonNodes: number
  readonly urlBytes: number
  /** The request line and all headers together. */
  readonly headerBytes: number
  readonly headerCount: number
  /** Time to send all headers, and the whole request. */
  readonly headersTimeoutMs: number
  readonly requestTimeoutMs: number
  /** How often the two above are checked. */
  readonly connectionsCheckMs: number
  /** How long an idle connection is kept for the next request. */
  readonly idleConnectionMs: number
  readonly connections: number
  readonly requestsPerConnection: number
  /** Silence in a stream before a keep-alive comment. */
  readonly keepAliveMs: number
  /** Bytes waiting for one reader before its stream pauses. */
  readonly streamBufferBytes: number
  /** How long a reader may take nothing at all before it counts as gone. */
  readonly stallMs: number
  /** Requests per key and minute; 0 counts nothing and sends no rate headers. */
  readonly requestsPerMinute: number
  /** The `x-antiphon-warnings` header. */
  readonly warningBytes: number
  /** An unread body up to this size is skimmed so that the connection can be used again; a larger one closes it. */
  readonly skimBytes: number
  /** How long the rest of a refused form is read and thrown away. */
  readonly lingerMs: number
  /** Time to send a form with a file. Without a byte for `stallMs` it ends before. */
  readonly formTimeMs: number
  /** Time for aborted runs to write their end while shutting down. */
  readonly shutdownGraceMs: number
  /** Open WebSockets of one project. */
  readonly webSocketsPerProject: number
  /** One message of a client on a WebSocket. */
  readonly webSocketMessageBytes: number
  /** How long a WebSocket may stay open. */
  readonly webSocketLifeMs: number
  /** Between two pings; a peer that answers none until the next one counts as gone. */
  readonly webSocketPingMs: number
  /** On one WebSocket: responses running, lanes ever named, messages waiting, and the bytes of those. */
  readonly webSocketRuns: number
  readonly webSocketLanes: number
  readonly webSocketQueue: number
  readonly webSocketQueueBytes: number
  /** Unstored responses that one WebSocket keeps to continue from, and the bytes of their items. */
  readonly webSocketMemory: number
  readonly webSocketMemoryBytes: number
}

export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  bodyBytes: 32 * 1024 * 1024,
  jsonDepth: 64,
  jsonNodes: 100_000,
  urlBytes: 8 * 1024,
  headerBytes: 16 * 1024,
  headerCount: 100,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  connectionsCheckMs: 1_000,
  idleConnectionMs: 65_000,
  connections: 20_000,
  requestsPerConnection: 1_000,
  keepAliveMs: 15_000,
  streamBufferBytes: 1024 * 1024,
  stallMs: 30_000,
  requestsPerMinute: 10_000,
  warningBytes: 4 * 1024,
  skimBytes: 64 * 1024,
  lingerMs: 2_000,
  formTimeMs: 3_600_000,
  shutdownGraceMs: 5_000,
  webSocketsPerProject: 50,
  webSocketMessageBytes: 16 * 1024 * 1024,
  webSocketLifeMs: 3_600_000,
  webSocketPingMs: 30_000,
  webSocketRuns: 16,
  webSocketLanes: 32,
  webSocketQueue: 64,
  webSocketQueueBytes: 32 * 1024 * 1024,
  webSocketMemory: 64,
  webSocketMemoryBytes: 32 * 1024 * 1024,
}
