/** The tables as queries see them. What SQLite stores as integer is a number here; bodies are JSON text. */
import type { FilePurpose } from '../../protocol/files.ts'
import type { ResponseStatus } from '../../protocol/response.ts'
import type { UploadStatus } from '../file-store.ts'

/**
 * `deleted` marks a response that was deleted while it ran. The row is empty and stays until it expires, so that the
 * end of the run cannot bring the response back.
 */
export type RowStatus = ResponseStatus | 'deleted'
export type Side = 'input' | 'output'

export type Tables = {
  /** A short number for each project id, because every row carries it. */
  projects: { seq: number; id: string }
  responses: {
    /** Counts up; the order of rows never depends on a clock. */
    seq: number
    project: number
    id: string
    created_at: number
    status: RowStatus
    previous_response_id: string | null
    /** The row of `previous_response_id`; null when there was none. It is always older, so its `seq` is not reused. */
    parent_seq: number | null
    /** Seconds; null keeps it for ever. From then on nobody sees the row by its id. */
    expires_at: number | null
    /** `expires_at` while the purge has to look at the row; null while a child is known to stand on it. */
    purge_at: number | null
    /** UTF-8 bytes of the bodies of all items of this response, and of `carried`. */
    item_bytes: number
    body: string
    /** A JSON array of items: a chain is read from here on, with these before it. Null: it goes on to the parent. */
    carried: string | null
  }
  items: {
    seq: number
    response_seq: number
    side: Side
    position: number
    /** `itemKey` of its project and id. */
    key: number
    body: string
  }
  usage: {
    id: string
    project: number
    key_id: string
    response_id: string
    provider: string
    model: string
    outcome: string
    input_tokens: number
    cached_tokens: number
    cache_write_tokens: number
    output_tokens: number
    reasoning_tokens: number
    total_tokens: number
    estimated: number
    duration_ms: number
    created_at: number
    /** US dollars; null where a price was unknown. */
    cost_usd: number | null
    /** The arithmetic behind it, as JSON. */
    cost: string | null
  }
  api_keys: {
    seq: number
    id: string
    project_id: string
    name: string
    digest: string
    scopes: string
    created_at: number
    expires_at: number | null
    revoked_at: number | null
  }
  conversations: {
    seq: number
    project: number
    id: string
    created_at: number
    metadata: string
    /** The place of the next item. Places are never used again, so an item keeps its order whatever goes. */
    next_position: number
    /** UTF-8 bytes of the bodies of all items. */
    item_bytes: number
    /** Who holds the lock, and until when in milliseconds. A lock of the past holds nobody off. */
    lock_token: string | null
    lock_until: number | null
    /** 1: unknown by its id; its items are still read by theirs, until `purge_at`. */
    deleted: number
    /** Seconds. */
    purge_at: number | null
  }
  conversation_items: {
    seq: number
    conversation_seq: number
    position: number
    /** `itemKey` of its project and id. */
    key: number
    body: string
  }
  idempotency_keys: {
    project: number
    endpoint: string
    key_digest: string
    fingerprint: string
    /** Who runs the request, and until when in milliseconds; null when it is done. */
    token: string | null
    lease_until: number | null
    /** One of both when it is done. */
    response_id: string | null
    sealed: string | null
    /** Seconds. */
    expires_at: number
  }
  /** One row for each response that runs or waits without its client. */
  jobs: {
    seq: number
    response_seq: number
    project: number
    key_id: string
    /** Sealed. */
    payload: string
    /** Of the conversation it holds. */
    lock_token: string | null
    /** Counts the owners; what comes with an older one is refused. */
    token: number
    /** Milliseconds; null: it was never taken, or given back. */
    lease_until: number | null
    /** Milliseconds. */
    started_at: number | null
    reruns: number
    /** Events up to here follow from the steps. */
    boundary: number
    /** The highest boundary behind which events were told to somebody. */
    seen_past: number | null
    cancel: number
  }
  job_steps: { job_seq: number; position: number; body: string }
  /** One row for each response whose events are kept; it stays when they are purged. */
  event_logs: {
    response_seq: number
    /** Seconds; null while the response runs. */
    expires_at: number | null
    purged: number
  }
  /** Events that were written together: a JSON array; `last` is the number of its last one. */
  event_batches: { response_seq: number; last: number; body: string }
  blobs: {
    key: string
    state: 'writing' | 'kept' | 'dropped'
    /** Seconds. */
    begun_at: number
  }
  files: {
    seq: number
    project: number
    id: string
    filename: string
    bytes: number
    purpose: FilePurpose
    media_type: string
    digest: string
    created_at: number
    /** Seconds; null keeps it until it is deleted. */
    expires_at: number | null
  }
  file_blobs: { file_seq: number; position: number; key: string; bytes: number; sha256: string }
  uploads: {
    seq: number
    project: number
    id: string
    filename: string
    /** As declared. */
    bytes: number
    purpose: FilePurpose
    media_type: string
    created_at: number
    expires_at: number
    /** Seconds its file will be kept. */
    file_ttl: number | null
    /** `expired` is never written: it is what a pending one is after its time. */
    status: UploadStatus
  }
  upload_parts: {
    seq: number
    upload_seq: number
    id: string
    created_at: number
    key: string
    bytes: number
    sha256: string
  }
  /** One row that readiness writes to. */
  probe: { id: number; value: number }
}
