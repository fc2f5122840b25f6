/**
 * What moves from SQLite to PostgreSQL: every table, those that others refer to first, with its columns and the ones that
 * order it. `moved-tables.test.ts` holds the list against the schema, so that no table is forgotten.
 */
export type MovedTable = {
  readonly name: string
  readonly columns: readonly string[]
  /** Unique together, and in both databases compared as numbers or bytes. */
  readonly key: readonly string[]
  /** Whether `seq` is numbered by the database. */
  readonly isNumbered: boolean
}

const numbered = (name: string, columns: string): MovedTable => ({
  name,
  columns: ['seq', ...columns.split(' ')],
  key: ['seq'],
  isNumbered: true,
})
const keyed = (name: string, key: string, columns: string): MovedTable => ({
  name,
  columns: [...key.split(' '), ...columns.split(' ')],
  key: key.split(' '),
  isNumbered: false,
})

export const MOVED_TABLES: readonly MovedTable[] = [
  numbered('projects', 'id'),
  numbered(
    'responses',
    'project id created_at status previous_response_id parent_seq expires_at purge_at item_bytes body carried',
  ),
  numbered('items', 'response_seq side position key body'),
  keyed(
    'usage',
    'project id',
    'key_id response_id provider model outcome input_tokens cached_tokens cache_write_tokens output_tokens ' +
      'reasoning_tokens total_tokens estimated duration_ms created_at cost_usd cost',
  ),
  numbered('api_keys', 'id project_id name digest scopes created_at expires_at revoked_at'),
  numbered(
    'conversations',
    'project id created_at metadata next_position item_bytes lock_token lock_until deleted purge_at',
  ),
  numbered('conversation_items', 'conversation_seq position key body'),
  keyed(
    'idempotency_keys',
    'project endpoint key_digest',
    'fingerprint token lease_until response_id sealed expires_at',
  ),
  numbered(
    'jobs',
    'response_seq project key_id payload lock_token token lease_until started_at reruns boundary seen_past cancel',
  ),
  keyed('job_steps', 'job_seq position', 'body'),
  keyed('event_logs', 'response_seq', 'expires_at purged'),
  keyed('event_batches', 'response_seq last', 'body'),
  keyed('blobs', 'key', 'state begun_at'),
  numbered('files', 'project id filename bytes purpose media_type digest created_at expires_at'),
  keyed('file_blobs', 'file_seq position', 'key bytes sha256'),
  numbered('uploads', 'project id filename bytes purpose media_type created_at expires_at file_ttl status'),
  numbered('upload_parts', 'upload_seq id created_at key bytes sha256'),
  numbered('prompts', 'project id name created_at default_version latest_version'),
  keyed('prompt_versions', 'prompt_seq version', 'created_at body'),
  numbered(
    'webhook_endpoints',
    'project id name url event_types secret secret_hint previous_secret previous_until configured created_at updated_at',
  ),
  numbered(
    'webhook_deliveries',
    'endpoint_seq event_id event_type response_id created_at expires_at status attempts next_attempt_at leased_until ' +
      'last_attempt_at last_status_code last_error',
  ),
  numbered('vector_stores', 'project id created_at name description metadata expires_days last_active_at expired'),
  numbered('vector_store_batches', 'store_seq id created_at cancelled'),
  numbered(
    'vector_store_files',
    'store_seq batch_seq document_id file_id created_at status attributes chunk_tokens overlap_tokens usage_bytes ' +
      'error_code error_message attempts not_before',
  ),
  numbered('vector_index_changes', 'store_id kind document_id body'),
]

/** Of the database itself, not of what it holds. */
export const UNMOVED_TABLES: readonly string[] = ['probe', 'schema_migrations']
