/** What the operator says of MCP. */

export type McpLimits = {
  /** Milliseconds: to connect and list the tools of a server, and for one call. */
  readonly timeoutMs: number
  /** Bytes of one reply. */
  readonly replyBytes: number
  /** Tools that a server may list. */
  readonly tools: number
}

/** A server that requests name as `connector_id`. */
export type McpServerConfig =
  | {
      readonly type: 'http'
      readonly url: string
      readonly headers: Readonly<Record<string, string>>
      /** A bearer token; null: none, or the request's own. */
      readonly authorization: string | null
    }
  | {
      /** A process of its own for every response that uses it. */
      readonly type: 'stdio'
      readonly command: string
      readonly args: readonly string[]
      readonly env: Readonly<Record<string, string>>
    }
