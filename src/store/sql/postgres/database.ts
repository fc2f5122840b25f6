/**
 * Connections to PostgreSQL: a bounded pool, every wait with a limit, every failure one of our errors.
 *
 * Invariants:
 * - A connection whose query failed in a way that leaves its state unknown (a timeout, a cut) is closed, not used again.
 * - What resolved is on the disk of the server: a session that would not wait for that is told to.
 * - Nothing is remembered of an outage: each request asks anew, so the store is back as soon as the server is.
 */
import { hash } from 'node:crypto'
import type { Client, ClientBase, Pool, PoolClient } from 'pg'
import { type Clock, sleep } from '../../../lib/clock.ts'
import { StorageBusy } from '../errors.ts'
import type { Params, Query, Sql } from '../query.ts'
import type { PostgresAddress } from './address.ts'
import { endsConnection, fromPostgresError, isConflict } from './postgres-errors.ts'

export interface Database extends Sql {
  /**
   * Commits when `work` resolves, and takes everything back when it rejects. `work` runs again when another transaction
   * was in its way, so it changes nothing but the database.
   */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>
  /** For people, who may wait: without the time limit of a query. */
  patiently<T>(work: (sql: Sql) => Promise<T>): Promise<T>
  /** A connection outside of the pool that tells the payload of every notification of a channel. */
  listen(channel: string, onNotification: (payload: string) => void): Promise<Listener>
  close(): Promise<void>
}

export interface Listener {
  /** Rejects when the connection is broken. */
  check(): Promise<void>
  close(): Promise<void>
}

export type DatabaseOptions = {
  readonly address: PostgresAddress
  readonly clock: Clock
  readonly maxConnections: number
  /** How long a request waits for a connection, and a connection for the server. */
  readonly connectTimeoutMs: number
  /** How long one statement may take. */
  readonly queryTimeoutMs: number
}

/** Requests that may wait for a connection; the next one is refused instead. */
export const MAX_WAITING = 20_000
const IDLE_MS = 60_000
/** How much longer than the server the driver waits for the end of a statement. */
const ANSWER_GRACE_MS = 1_000
/** A session that forgot its transaction, because its process hangs, holds rows for no longer. */
const IDLE_IN_TRANSACTION_MS = 15_000
export const MAX_ATTEMPTS = 5
const RETRY_MS = 10
const PATIENCE_MS = 3_600_000
const BEGIN_PATIENTLY = 'BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 60000'

export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  // Loaded here, because a server with SQLite never needs it.
  const { default: pg } = await import('pg')
  const connection = {
    ...options.address.connection,
    connectionTimeoutMillis: options.connectTimeoutMs,
    query_timeout: options.queryTimeoutMs + ANSWER_GRACE_MS,
    keepAlive: true,
    application_name: 'antiphon',
  }
  const pool = new pg.Pool({
    ...connection,
    max: options.maxConnections,
    idleTimeoutMillis: IDLE_MS,
    types: { getTypeParser: parserOf },
    onConnect: (client) => prepareSession(client, options),
  })
  // A connection that breaks while nobody uses it is replaced; one that breaks in use also fails its query.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return {
    ...toDatabase(pool, options),
    listen: (channel, onNotification) => listen(new pg.Client(connection), channel, onNotification),
  }
}

async function listen(client: Client, channel: string, onNotification: (payload: string) => void): Promise<Listener> {
  client.on('error', () => {})
  client.on('notification', ({ payload = '' }) => onNotification(payload))
  await client.connect()
  await client.query('LISTEN '.concat(client.escapeIdentifier(channel)))
  return {
    async check() {
      await client.query('SELECT 1')
    },
    close: () => client.end().catch(() => {}),
  }
}

const BOOLEAN = 16
/** int2, int4, int8, float4, float8, numeric: nothing we store is beyond the exact integers of a number. */
const NUMBERS: ReadonlySet<number> = new Set([21, 23, 20, 700, 701, 1700])

function parserOf(oid: number): (text: string) => unknown {
  if (NUMBERS.has(oid)) return Number
  return oid === BOOLEAN ? (text) => text === 't' : (text) => text
}

/** `off` acknowledges commits that a crash takes back. Anything stricter than `on` is the operator's choice and stays. */
const SESSION = `select set_config('search_path', $1, false), set_config('statement_timeout', $2, false),
  set_config('lock_timeout', $2, false), set_config('idle_in_transaction_session_timeout', $3, false),
  set_config('default_transaction_isolation', 'read committed', false),
  set_config('synchronous_commit',
    case current_setting('synchronous_commit') when 'off' then 'on' else current_setting('synchronous_commit') end, false)`

async function prepareSession(client: ClientBase, { address, queryTimeoutMs }: DatabaseOptions): Promise<void> {
  await client.query(SESSION, [`"${address.schema}"`, String(queryTimeoutMs), String(IDLE_IN_TRANSACTION_MS)])
}

function toDatabase(pool: Pool, { clock, queryTimeoutMs }: DatabaseOptions): Omit<Database, 'listen'> {
  const withClient = async <T>(use: (client: PoolClient) => Promise<T>): Promise<T> => {
    if (pool.waitingCount >= MAX_WAITING) throw new StorageBusy()
    const client = await pool.connect()
    let isBroken = false
    try {
      return await use(client)
    } catch (error) {
      isBroken = endsConnection(error)
      throw error
    } finally {
      client.release(isBroken)
    }
  }
  /** Again, a bounded number of times, when another transaction was in the way. */
  const attempt = async <T>(use: (client: PoolClient) => Promise<T>): Promise<T> => {
    for (let attempts = 1; ; attempts++) {
      try {
        return await withClient(use)
      } catch (error) {
        if (!isConflict(error) || attempts >= MAX_ATTEMPTS) throw fromPostgresError(error)
      }
      await sleep(clock, RETRY_MS * attempts)
    }
  }
  const timeout = queryTimeoutMs + ANSWER_GRACE_MS
  return {
    get: (query, params) => attempt((client) => sqlOf(client, timeout).get(query, params)),
    all: (query, params) => attempt((client) => sqlOf(client, timeout).all(query, params)),
    run: (query, params) => attempt((client) => sqlOf(client, timeout).run(query, params)),
    transaction: (work) => attempt((client) => inTransaction(client, 'BEGIN', () => work(sqlOf(client, timeout)))),
    patiently: (work) =>
      attempt((client) => inTransaction(client, BEGIN_PATIENTLY, () => work(sqlOf(client, PATIENCE_MS)))),
    async exec(statements) {
      await attempt((client) => client.query(statements))
    },
    close: () => pool.end(),
  }
}

async function inTransaction<T>(client: PoolClient, begin: string, work: () => Promise<T>): Promise<T> {
  await client.query(begin)
  try {
    const result = await work()
    await client.query('COMMIT')
    return result
  } catch (error) {
    if (!endsConnection(error)) await client.query('ROLLBACK')
    throw error
  }
}

function sqlOf(client: PoolClient, timeoutMs: number): Sql {
  const ask = <P extends Params, R extends object>(query: Query<P, R>, given: P) => {
    const { name, text, names } = statementOf(query)
    const params: Params = given
    const values = names.map((it) => params[it] ?? null)
    return client.query<R>({ name, text, values, ...{ query_timeout: timeoutMs } })
  }
  return {
    get: async (query, params) => (await ask(query, params)).rows[0],
    all: async (query, params) => (await ask(query, params)).rows,
    run: async (query, params) => (await ask(query, params)).rowCount ?? 0,
    async exec(statements) {
      await client.query(statements)
    },
  }
}

type Statement = { readonly name: string; readonly text: string; readonly names: readonly string[] }
/** Bounded by the number of queries in the source, because their text never depends on a request. */
const statements = new WeakMap<object, Statement>()
const NAME_CHARS = 16

/** The query with numbered values, each of them once, and a name by which the server keeps its plan. */
export function statementOf(query: { readonly sql: string; readonly names: readonly string[] }): Statement {
  const known = statements.get(query)
  if (known !== undefined) return known
  const names = [...new Set(query.names)]
  let at = 0
  const text = query.sql.replaceAll('?', () => `$${names.indexOf(query.names[at++] ?? '') + 1}`)
  const statement = { name: hash('sha256', text, 'hex').slice(0, NAME_CHARS), text, names }
  statements.set(query, statement)
  return statement
}
