/** Reads a chain of responses: one recursive query for its links, one for all their items. */
import type { Item } from '../../../protocol/items.ts'
import type { ResponseStatus } from '../../../protocol/response.ts'
import type { Chain, ChainLink, ProjectStore } from '../../store.ts'
import { queries } from '../queries.ts'
import type { Connection } from './connection.ts'

type Limits = Parameters<ProjectStore['readChain']>[1]
type Scope = { readonly projectId: string; readonly id: string; readonly now: number }
type Link = ChainLink & { readonly input: Item[]; readonly output: Item[] }

/** A chain beyond a limit is left unread: `responses` and `bytes` then count what was walked, one past the limit. */
export function readChain(reader: Connection, scope: Scope, { whole, ...limits }: Limits): Chain | null {
  const rows = reader.all(queries.readChain, { ...scope, ...limits, whole: whole ? 1 : 0 })
  const oldest = rows[0]
  if (!oldest) return null
  const { length, bytes } = oldest
  if (length > limits.maxResponses || bytes > limits.maxBytes) return { type: 'too-long', responses: length, bytes }
  const isFirst = !oldest.goes_on
  if (!isFirst && oldest.previous_response_id !== null) return null
  const links = new Map<number, Link>()
  for (const { seq, id, status } of rows) {
    if (status !== 'deleted') links.set(seq, toLink(id, status))
  }
  fillItems(reader, scope.projectId, links)
  const carried = isFirst ? readCarried(reader, scope.projectId, oldest.seq) : []
  return { type: 'chain', carried, links: [...links.values()] }
}

function readCarried(reader: Connection, projectId: string, seq: number): readonly Item[] {
  return JSON.parse(reader.get(queries.readCarried, { projectId, seq })?.carried ?? '[]')
}

const toLink = (id: string, status: ResponseStatus): Link => ({ id, status, input: [], output: [] })

function fillItems(reader: Connection, projectId: string, links: ReadonlyMap<number, Link>): void {
  const rows = reader.all(queries.readItems, { projectId, seqs: JSON.stringify([...links.keys()]) })
  for (const row of rows) {
    const link = links.get(row.response_seq)
    if (link) link[row.side][row.position] = JSON.parse(row.body)
  }
}
