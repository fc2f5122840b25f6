/** Reads a chain of responses: one recursive query for its links, one for all their items. */
import type { Item } from '../../../protocol/items.ts'
import type { ResponseStatus } from '../../../protocol/response.ts'
import type { Chain, ChainLimits, ChainLink } from '../../store.ts'
import { queries } from '../queries.ts'
import type { Connection } from './connection.ts'

type Scope = { readonly projectId: string; readonly id: string; readonly now: number }
type Link = ChainLink & { readonly input: Item[]; readonly output: Item[] }

/** A chain beyond a limit is left unread: `responses` and `bytes` then count what was walked, one past the limit. */
export function readChain(reader: Connection, scope: Scope, limits: ChainLimits): Chain | null {
  const rows = reader.all(queries.readChain, { ...scope, ...limits })
  const oldest = rows[0]
  if (!oldest) return null
  const { length, bytes } = oldest
  if (length > limits.maxResponses || bytes > limits.maxBytes) return { type: 'too-long', responses: length, bytes }
  if (oldest.previous_response_id !== null) return null
  const links = new Map<number, Link>()
  for (const { seq, id, status } of rows) {
    if (status !== 'deleted') links.set(seq, toLink(id, status))
  }
  fillItems(reader, scope.projectId, links)
  return { type: 'chain', links: [...links.values()] }
}

const toLink = (id: string, status: ResponseStatus): Link => ({ id, status, input: [], output: [] })

function fillItems(reader: Connection, projectId: string, links: ReadonlyMap<number, Link>): void {
  const rows = reader.all(queries.readItems, { projectId, seqs: JSON.stringify([...links.keys()]) })
  for (const row of rows) {
    const link = links.get(row.response_seq)
    if (link) link[row.side][row.position] = JSON.parse(row.body)
  }
}
