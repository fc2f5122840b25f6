/** What only a person asks the ledger for. Both read all of it, so they are no queries of the server's own traffic. */
import { query } from './query.ts'
import type { Tables } from './tables.ts'

/** Seconds of a day: days are those of UTC. */
const DAY = 86_400

export type UsageSumRow = {
  day: number
  project_id: string
  key_id: string
  provider: string
  model: string
  calls: number
  input_tokens: number
  cached_tokens: number
  output_tokens: number
  cost_usd: number | null
  unpriced: number
}

export const sumUsage = query<{ since: number }, UsageSumRow>(`
  select usage.created_at / ${DAY} as day, projects.id as project_id, key_id, provider, model, count(*) as calls,
    sum(input_tokens) as input_tokens, sum(cached_tokens) as cached_tokens, sum(output_tokens) as output_tokens,
    sum(cost_usd) as cost_usd, sum(case when cost_usd is null and total_tokens > 0 then 1 else 0 end) as unpriced
  from usage join projects on projects.seq = usage.project
  where usage.created_at >= :since
  group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5`)

export const usageOfResponse = query<{ responseId: string }, Tables['usage']>(
  'select * from usage where response_id = :responseId order by created_at, id',
)
