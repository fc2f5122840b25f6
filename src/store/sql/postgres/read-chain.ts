/** Reads a chain of responses by one recursive query, with all their items. */
import type { Item } from '../../../protocol/items.ts'
import type { Chain, ChainLink, ProjectStore } from '../../store.ts'
import type { Sql } from '../query.ts'
import { type ChainRow, responses } from './response-queries.ts'

type Limits = Parameters<ProjectStore['readChain']>[1]
type Scope = { readonly projectId: string; readonly id: string; readonly now: number }
type Link = ChainLink & { readonly input: Item[]; readonly output: Item[] }

/** A chain beyond a limit is left unread: `responses` and `bytes` then count what was walked, one past the limit. */
export async function readChain(sql: Sql, scope: Scope, { whole, ...limits }: Limits): Promise<Chain | null> {
  const rows = await sql.all(responses.readWholeChain, { ...scope, ...limits, whole: whole ? 1 : 0 })
  const oldest = rows[0]
  if (!oldest) return null
  const { length, bytes } = oldest
  if (length > limits.maxResponses || bytes > limits.maxBytes) return { type: 'too-long', responses: length, bytes }
  if (oldest.goes_on && oldest.previous_response_id !== null) return null
  const carried: readonly Item[] = oldest.goes_on ? [] : JSON.parse(oldest.body ?? '[]')
  return { type: 'chain', carried, links: toLinks(rows) }
}

/** The row of a link comes before those of its items. */
function toLinks(rows: readonly ChainRow[]): Link[] {
  const links = new Map<number, Link>()
  for (const { seq, id, status, side, position, body } of rows) {
    if (side === null) {
      if (status !== 'deleted') links.set(seq, { id, status, input: [], output: [] })
    } else {
      const link = links.get(seq)
      if (link && position !== null) link[side][position] = JSON.parse(body ?? 'null')
    }
  }
  return [...links.values()]
}
