/** Everything asked of `responses` and `items`. Each query that a caller's id reaches is scoped to one project. */
import { query } from './query.ts'
import type { RowStatus, Side, Tables } from './tables.ts'

type Responses = Tables['responses']
type Items = Tables['items']
type Scope = { projectId: string; id: string }
export type LiveScope = Scope & { now: number }
export type ResponseValues = Scope & {
  createdAt: number
  status: RowStatus
  previousId: string | null
  expiresAt: number | null
  itemBytes: number
  body: string
  carried: string | null
}
type ItemValues = { responseSeq: number; side: Side; position: number; key: number; body: string }
type Seq = Pick<Responses, 'seq'>

/** The number of the project; a project that never wrote has none, and then nothing is found. */
export const PROJECT = '(select projects.seq from projects where projects.id = :projectId)'
const IS_KEPT = "responses.status <> 'deleted'"
/** Neither deleted nor expired: the id still stands for something. */
export const IS_LIVE = `${IS_KEPT} and (responses.expires_at is null or responses.expires_at > :now)`
export const UNFINISHED = "responses.status in ('queued', 'in_progress')"

/** `more`: the names of further columns and their values, each after a comma. */
export const insertResponse = (more = { columns: '', values: '' }) => `
  insert into responses (project, id, created_at, status, previous_response_id, parent_seq, expires_at, purge_at,
    item_bytes, body, carried${more.columns})
  values (${PROJECT}, :id, :createdAt, :status, :previousId,
    (select parent.seq from responses as parent where parent.project = ${PROJECT} and parent.id = :previousId),
    :expiresAt, :expiresAt, :itemBytes, :body, :carried${more.values})`

/** What an insert does to the response that began before. */
export const END_RESPONSE = `
  on conflict (project, id) do update set status = excluded.status, expires_at = excluded.expires_at,
    purge_at = excluded.purge_at, item_bytes = excluded.item_bytes, body = excluded.body, carried = excluded.carried
  where ${UNFINISHED}`

const writing = {
  addProject: query<{ projectId: string }>('insert into projects (id) values (:projectId) on conflict (id) do nothing'),
  insertResponse: query<ResponseValues, Seq>(`${insertResponse()} returning seq`),
  /** No row comes back when the response had ended, or was deleted, before. */
  endResponse: query<ResponseValues, Seq>(`${insertResponse()} ${END_RESPONSE} returning seq`),
  /** Rewrites an item only when it differs, so that the input written at the start is not written again. */
  putItem: query<ItemValues>(`
    insert into items (response_seq, side, position, key, body) values (:responseSeq, :side, :position, :key, :body)
    on conflict (response_seq, side, position) do update set key = excluded.key, body = excluded.body
    where items.body <> excluded.body`),
  /** Leaves the first so many items of either side. */
  keepItems: query<{ responseSeq: number; inputs: number; outputs: number }>(`
    delete from items where response_seq = :responseSeq
    and position >= case side when 'input' then cast(:inputs as integer) else cast(:outputs as integer) end`),
}

const reading = {
  /** `output` is the bodies joined with commas. */
  getResponse: query<
    LiveScope,
    Pick<Responses, 'id' | 'created_at' | 'status' | 'previous_response_id' | 'body'> & { output: string | null }
  >(`
    select id, created_at, status, previous_response_id, body,
      (select string_agg(items.body, ',' order by items.position) from items
        where items.response_seq = responses.seq and items.side = 'output') as output
    from responses where project = ${PROJECT} and id = :id and ${IS_LIVE}`),
  /** The newest live item of each `{ key, id }` in the JSON array. A key may be shared by chance, an id is not. */
  getItems: query<{ projectId: string; wanted: string; now: number }, Pick<Items, 'body'>>(`
    select items.body from json_each(:wanted) as wanted
    join items on items.seq = (
      select items.seq from items join responses on responses.seq = items.response_seq
      where items.key = cast(wanted.value ->> 'key' as bigint) and items.body ->> 'id' = wanted.value ->> 'id'
        and responses.project = ${PROJECT} and ${IS_LIVE}
      order by items.seq desc limit 1)`),
}

/** Walks from `id` to its root, or to the first response that carries, and at most one response beyond either limit. */
export const CHAIN = `
  chain as (
    select seq, project, id, status, previous_response_id, parent_seq, 1 as length, item_bytes as bytes,
      carried is null or :whole as goes_on
    from responses where project = ${PROJECT} and id = :id and ${IS_LIVE}
    union all
    select responses.seq, responses.project, responses.id, responses.status, responses.previous_response_id,
      responses.parent_seq, chain.length + 1, chain.bytes + responses.item_bytes, responses.carried is null or :whole
    from chain join responses on responses.seq = chain.parent_seq and responses.id = chain.previous_response_id
      and responses.project = chain.project
    where chain.goes_on and ${IS_KEPT} and chain.length <= :maxResponses and chain.bytes <= :maxBytes)`

const readingChains = {
  /** Oldest first. `whole` 0: no further than to the first response that carries what was before it. */
  readChain: query<
    LiveScope & { maxResponses: number; maxBytes: number; whole: number },
    Pick<Responses, 'seq' | 'id' | 'status' | 'previous_response_id'> & {
      length: number
      bytes: number
      /** 0: what is before it is in `carried`. */
      goes_on: number
    }
  >(`
    with recursive ${CHAIN}
    select seq, id, status, previous_response_id, length, bytes, goes_on from chain order by length desc`),
  readCarried: query<{ projectId: string; seq: number }, Pick<Responses, 'carried'>>(
    `select carried from responses where seq = :seq and project = ${PROJECT}`,
  ),
  /** The items of the responses whose `seq` are in the JSON array. `+ 0` keeps the scope from choosing the index. */
  readItems: query<{ projectId: string; seqs: string }, Pick<Items, 'response_seq' | 'side' | 'position' | 'body'>>(`
    select items.response_seq, items.side, items.position, items.body
    from responses join items on items.response_seq = responses.seq
    where responses.project + 0 = ${PROJECT} and responses.seq in (select value from json_each(:seqs))`),
}

const deleting = {
  findLive: query<LiveScope, Pick<Responses, 'seq' | 'status' | 'parent_seq'>>(
    `select seq, status, parent_seq from responses where project = ${PROJECT} and id = :id and ${IS_LIVE}`,
  ),
  /** Its items go with it, by the foreign key. */
  deleteResponse: query<{ seq: number }>('delete from responses where seq = :seq'),
  markDeleted: query<{ seq: number; expiresAt: number }>(`
    update responses set status = 'deleted', previous_response_id = null, parent_seq = null, expires_at = :expiresAt,
      purge_at = :expiresAt, item_bytes = 0, body = '{}', carried = null
    where seq = :seq`),
}

const purging = {
  /** Newest first: children mostly expire after their parents, and must go before them. */
  findPurgeable: query<{ now: number; limit: number }, Pick<Responses, 'seq' | 'parent_seq'>>(
    'select seq, parent_seq from responses where purge_at < :now order by purge_at desc, seq desc limit :limit',
  ),
  findChild: query<{ seq: number }, Seq>('select seq from responses where parent_seq = :seq limit 1'),
  deferPurge: query<{ seq: number }>('update responses set purge_at = null where seq = :seq'),
  /** A child of it has gone: the purge has to look at it again. */
  resumePurge: query<{ seq: number }>(`
    update responses set purge_at = expires_at where seq = :seq and purge_at is null and expires_at is not null`),
}

const healing = {
  findUnfinished: query<{ limit: number }, Pick<Responses, 'seq' | 'body'>>(
    `select seq, body from responses where ${UNFINISHED} limit :limit`,
  ),
  failResponse: query<{ seq: number; body: string }>(
    "update responses set status = 'failed', body = :body where seq = :seq",
  ),
}

export const responseQueries = { ...writing, ...reading, ...readingChains, ...deleting, ...purging, ...healing }
