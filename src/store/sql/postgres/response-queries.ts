/**
 * What is asked of `responses` and `items` in another way than of SQLite: a write is one statement where it can be,
 * because each statement is a journey to the server; rows travel as JSON; and what others may change is locked first.
 */
import { query } from '../query.ts'
import {
  CHAIN,
  END_RESPONSE,
  IS_LIVE,
  insertResponse,
  type LiveScope,
  PROJECT,
  type ResponseValues,
  responseQueries,
  UNFINISHED,
} from '../response-queries.ts'
import type { RowStatus, Side, Tables } from '../tables.ts'
import { forUpdate } from './for-update.ts'
import { DEAD_OWNER } from './replica-queries.ts'
import { PUT_USAGE, type UsageValues } from './usage-queries.ts'

type Responses = Tables['responses']
type Seq = Pick<Responses, 'seq'>
type ItemsValue = { items: string }
type Owned = { owner: number }
type Seqs = { seqs: string }

const INSERT = insertResponse({ columns: ', owner', values: ', :owner' })
/** `written`: the row of the response, if it was written. */
const PUT_ITEMS = `
  put as (
    insert into items (response_seq, side, position, key, body)
    select written.seq, item.side, item.position, item.key, item.body
    from written, json_to_recordset(cast(:items as json)) as item (side text, position integer, key bigint, body text)
    on conflict (response_seq, side, position) do update set key = excluded.key, body = excluded.body
    where items.body <> excluded.body)`
const CUT_ITEMS = `
  cut as (
    delete from items using written where items.response_seq = written.seq and items.position >=
      case items.side when 'input' then cast(:inputs as integer) else cast(:outputs as integer) end)`

const writing = {
  startResponse: query<ResponseValues & ItemsValue & Owned, Seq>(`
    with written as (${INSERT} returning seq), ${PUT_ITEMS} select seq from written`),
  /** No row comes back when the response had ended, or was deleted, before; the usage is written all the same. */
  endResponse: query<ResponseValues & ItemsValue & Owned & { inputs: number; outputs: number } & UsageValues, Seq>(`
    with written as (${INSERT} ${END_RESPONSE} returning seq), ${PUT_ITEMS}, ${CUT_ITEMS}, billed as (${PUT_USAGE})
    select seq from written`),
}

/** One row for each link, without a side, and one for each of its items. */
export type ChainRow = {
  readonly seq: number
  readonly id: string
  readonly status: RowStatus
  readonly previous_response_id: string | null
  readonly length: number
  readonly bytes: number
  readonly goes_on: boolean
  readonly side: Side | null
  readonly position: number | null
  /** Of a link: what it carries, where the chain begins with that. */
  readonly body: string | null
}

const reading = {
  /** Links and items in one statement, so that both are seen at one moment. Items only of a chain within the limits. */
  readWholeChain: query<LiveScope & { maxResponses: number; maxBytes: number; whole: number }, ChainRow>(`
    with recursive ${CHAIN},
    fits as (select max(length) <= :maxResponses and max(bytes) <= :maxBytes as fits from chain)
    select chain.seq, chain.id, chain.status, chain.previous_response_id, chain.length, chain.bytes, chain.goes_on,
      null as side, null as position, case when chain.goes_on then null else responses.carried end as body
    from chain join responses on responses.seq = chain.seq
    union all
    select chain.seq, chain.id, chain.status, chain.previous_response_id, chain.length, chain.bytes, chain.goes_on,
      items.side, items.position, items.body
    from chain join items on items.response_seq = chain.seq where (select fits from fits)
    order by length desc, position nulls first`),
  /** The newest live item of each `{ key, text }`. A key may be shared by chance, so the body has to hold the text. */
  getItems: query<{ projectId: string; wanted: string; now: number }, Pick<Tables['items'], 'body'>>(`
    select found.body from json_to_recordset(cast(:wanted as json)) as wanted (key bigint, text text)
    join lateral (
      select items.body from items join responses on responses.seq = items.response_seq
      where items.key = wanted.key and strpos(items.body, wanted.text) > 0
        and responses.project = ${PROJECT} and ${IS_LIVE}
      order by items.seq desc limit 1) as found on true`),
}

/** Rows are named by arrays as PostgreSQL writes them: `{1,2}`. */
const removing = {
  lockLive: forUpdate(responseQueries.findLive),
  removeItems: query<{ seq: number }, Seq>('delete from items where response_seq = :seq'),
  lockPurgeable: forUpdate(responseQueries.findPurgeable, 'skip locked'),
  /** Which of them others stand on that are not of them. */
  findParents: query<Seqs, { parent_seq: number }>(`
    select distinct parent_seq from responses where parent_seq = any(cast(:seqs as bigint[]))
      and seq <> all(cast(:seqs as bigint[]))`),
  deferPurges: query<Seqs, Seq>('update responses set purge_at = null where seq = any(cast(:seqs as bigint[]))'),
  deleteResponses: query<Seqs, Seq>('delete from responses where seq = any(cast(:seqs as bigint[]))'),
  /** Waits for whoever looks at the row, and whatever that one saw: one child of it is gone since. */
  resumePurges: query<Seqs, Seq>(`
    update responses set purge_at = expires_at where seq = any(cast(:seqs as bigint[])) and expires_at is not null`),
}

const healing = {
  lockOrphans: query<{ now: number; limit: number }, Pick<Responses, 'seq' | 'body'>>(`
    select seq, body from responses where ${UNFINISHED} and ${DEAD_OWNER('responses')}
    limit :limit for update of responses skip locked`),
  failResponses: query<{ rows: string }, Seq>(`
    update responses set status = 'failed', body = failed.body
    from json_to_recordset(cast(:rows as json)) as failed (seq bigint, body text) where responses.seq = failed.seq`),
}

export const responses = { ...writing, ...reading, ...removing, ...healing }
