/** Everything asked of `responses` and `items`. Each query that a caller's id reaches is scoped to one project. */
import { type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely'
import { given } from './query.ts'
import type { RowStatus, Side, Tables } from './tables.ts'

/** What the engines spell differently. */
export type SqlDialect = {
  /** A table with one column `value` out of a JSON array that is bound as text. */
  list(json: RawBuilder<string>): RawBuilder<{ value: unknown }>
}

type Db = Kysely<Tables>
type Scope = { projectId: string; id: string }
type ResponseParams = Scope & {
  createdAt: number
  status: RowStatus
  previousId: string | null
  expiresAt: number | null
  itemBytes: number
  body: string
}
type ItemParams = { responseSeq: number; side: Side; position: number; key: number; body: string }

const zero = sql.lit(0)
const one = sql.lit(1)
const UNFINISHED = [sql.lit<RowStatus>('queued'), sql.lit<RowStatus>('in_progress')]
/** The number of the project; a project that never wrote has none, and then nothing is found. */
export const projectOf = (id: RawBuilder<string>) =>
  sql<number>`(select projects.seq from projects where projects.id = ${id})`
const isKept = sql<SqlBool>`responses.status <> 'deleted'`
/** Neither deleted nor expired: the id still stands for something. */
const isLive = (now: RawBuilder<number>) =>
  sql<SqlBool>`${isKept} and (responses.expires_at is null or responses.expires_at > ${now})`

export const createResponseQueries = (db: Db, dialect: SqlDialect) => ({
  ...writing(db),
  ...reading(db, dialect),
  ...readingChains(db, dialect),
  ...deleting(db),
  ...purging(db),
  ...healing(db),
})

const insertInto = (db: Db, bind: <K extends keyof ResponseParams>(name: K) => RawBuilder<ResponseParams[K]>) =>
  db.insertInto('responses').values({
    project: projectOf(bind('projectId')),
    id: bind('id'),
    created_at: bind('createdAt'),
    status: bind('status'),
    previous_response_id: bind('previousId'),
    parent_seq: sql<number | null>`(
        select parent.seq from responses as parent
        where parent.project = ${projectOf(bind('projectId'))} and parent.id = ${bind('previousId')})`,
    expires_at: bind('expiresAt'),
    purge_at: bind('expiresAt'),
    item_bytes: bind('itemBytes'),
    body: bind('body'),
  })

function writing(db: Db) {
  return {
    addProject: given<{ projectId: string }>()((bind) =>
      db
        .insertInto('projects')
        .values({ id: bind('projectId') })
        .onConflict((conflict) => conflict.column('id').doNothing()),
    ),
    insertResponse: given<ResponseParams>()((bind) => insertInto(db, bind).returning('seq')),
    /** No row comes back when the response had ended, or was deleted, before. */
    endResponse: given<ResponseParams>()((bind) =>
      insertInto(db, bind)
        .onConflict((conflict) =>
          conflict
            .columns(['project', 'id'])
            .doUpdateSet((row) => ({
              status: row.ref('excluded.status'),
              expires_at: row.ref('excluded.expires_at'),
              purge_at: row.ref('excluded.purge_at'),
              item_bytes: row.ref('excluded.item_bytes'),
              body: row.ref('excluded.body'),
            }))
            .where('responses.status', 'in', UNFINISHED),
        )
        .returning('seq'),
    ),
    /** Rewrites an item only when it differs, so that the input written at the start is not written again. */
    putItem: given<ItemParams>()((bind) =>
      db
        .insertInto('items')
        .values({
          response_seq: bind('responseSeq'),
          side: bind('side'),
          position: bind('position'),
          key: bind('key'),
          body: bind('body'),
        })
        .onConflict((conflict) =>
          conflict
            .columns(['response_seq', 'side', 'position'])
            .doUpdateSet((row) => ({ key: row.ref('excluded.key'), body: row.ref('excluded.body') }))
            .whereRef('items.body', '<>', 'excluded.body'),
        ),
    ),
    deleteItemsFrom: given<{ responseSeq: number; side: Side; position: number }>()((bind) =>
      db
        .deleteFrom('items')
        .where('response_seq', '=', bind('responseSeq'))
        .where('side', '=', bind('side'))
        .where('position', '>=', bind('position')),
    ),
  }
}

function reading(db: Db, dialect: SqlDialect) {
  const output = sql<string | null>`(
    select string_agg(items.body, ',' order by items.position) from items
    where items.response_seq = responses.seq and items.side = 'output')`
  return {
    /** `output` is the bodies joined with commas. */
    getResponse: given<Scope & { now: number }>()((bind) =>
      db
        .selectFrom('responses')
        .select(['id', 'created_at', 'status', 'previous_response_id', 'body', output.as('output')])
        .where('project', '=', projectOf(bind('projectId')))
        .where('id', '=', bind('id'))
        .where(isLive(bind('now'))),
    ),
    /** The newest live item of each `{ key, id }` in the JSON array. A key may be shared by chance, an id is not. */
    getItems: given<{ projectId: string; wanted: string; now: number }>()((bind) => {
      const newest = sql<number>`(
        select items.seq from items join responses on responses.seq = items.response_seq
        where items.key = cast(wanted.value ->> 'key' as bigint) and items.body ->> 'id' = wanted.value ->> 'id'
        and responses.project = ${projectOf(bind('projectId'))} and ${isLive(bind('now'))}
        order by items.seq desc limit 1)`
      return db
        .selectFrom(dialect.list(bind('wanted')).as<'wanted'>(sql`wanted`))
        .innerJoin('items', (join) => join.on('items.seq', '=', newest))
        .select('items.body')
    }),
  }
}

function readingChains(db: Db, dialect: SqlDialect) {
  return {
    /** Walks from `id` to its root, and at most one response beyond either limit; oldest first. */
    readChain: given<Scope & { now: number; maxResponses: number; maxBytes: number }>()((bind) =>
      db
        .withRecursive('chain', (cte) =>
          cte
            .selectFrom('responses')
            .select(['seq', 'project', 'id', 'status', 'previous_response_id', 'parent_seq'])
            .select([one.as('length'), 'item_bytes as bytes'])
            .where('project', '=', projectOf(bind('projectId')))
            .where('id', '=', bind('id'))
            .where(isLive(bind('now')))
            .unionAll(
              cte
                .selectFrom('chain')
                .innerJoin('responses', (join) =>
                  join
                    .onRef('responses.seq', '=', 'chain.parent_seq')
                    .onRef('responses.id', '=', 'chain.previous_response_id')
                    .onRef('responses.project', '=', 'chain.project'),
                )
                .select(['responses.seq', 'responses.project', 'responses.id', 'responses.status'])
                .select(['responses.previous_response_id', 'responses.parent_seq'])
                .select(sql<number>`chain.length + 1`.as('length'))
                .select(sql<number>`chain.bytes + responses.item_bytes`.as('bytes'))
                .where(isKept)
                .where('chain.length', '<=', bind('maxResponses'))
                .where('chain.bytes', '<=', bind('maxBytes')),
            ),
        )
        .selectFrom('chain')
        .select(['seq', 'id', 'status', 'previous_response_id', 'length', 'bytes'])
        .orderBy('length', 'desc'),
    ),
    /** The items of the responses whose `seq` are in the JSON array. `+ 0` keeps the scope from choosing the index. */
    readItems: given<{ projectId: string; seqs: string }>()((bind) =>
      db
        .selectFrom('responses')
        .innerJoin('items', 'items.response_seq', 'responses.seq')
        .select(['items.response_seq', 'items.side', 'items.position', 'items.body'])
        .where(sql<SqlBool>`responses.project + 0 = ${projectOf(bind('projectId'))}`)
        .where('responses.seq', 'in', sql<number>`(select value from ${dialect.list(bind('seqs'))})`),
    ),
  }
}

function deleting(db: Db) {
  return {
    findLive: given<Scope & { now: number }>()((bind) =>
      db
        .selectFrom('responses')
        .select(['seq', 'status', 'parent_seq'])
        .where('project', '=', projectOf(bind('projectId')))
        .where('id', '=', bind('id'))
        .where(isLive(bind('now'))),
    ),
    /** Its items go with it, by the foreign key. */
    deleteResponse: given<{ seq: number }>()((bind) => db.deleteFrom('responses').where('seq', '=', bind('seq'))),
    markDeleted: given<{ seq: number; expiresAt: number }>()((bind) =>
      db
        .updateTable('responses')
        .set({
          status: sql.lit<RowStatus>('deleted'),
          previous_response_id: sql.lit(null),
          parent_seq: sql.lit(null),
          expires_at: bind('expiresAt'),
          purge_at: bind('expiresAt'),
          item_bytes: zero,
          body: sql.lit('{}'),
        })
        .where('seq', '=', bind('seq')),
    ),
  }
}

function purging(db: Db) {
  return {
    /** Newest first: children mostly expire after their parents, and must go before them. */
    findPurgeable: given<{ now: number; limit: number }>()((bind) =>
      db
        .selectFrom('responses')
        .select(['seq', 'parent_seq'])
        .where('purge_at', '<', bind('now'))
        .orderBy('purge_at', 'desc')
        .orderBy('seq', 'desc')
        .limit(bind('limit')),
    ),
    findChild: given<{ seq: number }>()((bind) =>
      db.selectFrom('responses').select('seq').where('parent_seq', '=', bind('seq')).limit(one),
    ),
    deferPurge: given<{ seq: number }>()((bind) =>
      db
        .updateTable('responses')
        .set({ purge_at: sql.lit(null) })
        .where('seq', '=', bind('seq')),
    ),
    /** A child of it has gone: the purge has to look at it again. */
    resumePurge: given<{ seq: number }>()((bind) =>
      db
        .updateTable('responses')
        .set((row) => ({ purge_at: row.ref('expires_at') }))
        .where('seq', '=', bind('seq'))
        .where('purge_at', 'is', sql.lit(null))
        .where('expires_at', 'is not', sql.lit(null)),
    ),
  }
}

function healing(db: Db) {
  return {
    findUnfinished: given<{ limit: number }>()((bind) =>
      db.selectFrom('responses').select(['seq', 'body']).where('status', 'in', UNFINISHED).limit(bind('limit')),
    ),
    failResponse: given<{ seq: number; body: string }>()((bind) =>
      db
        .updateTable('responses')
        .set({ status: sql.lit<RowStatus>('failed'), body: bind('body') })
        .where('seq', '=', bind('seq')),
    ),
  }
}
