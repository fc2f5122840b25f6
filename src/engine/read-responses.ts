/** Use cases on stored responses: read, delete, cancel, list the input. */
import { badRequest, responseNotFound } from '../protocol/errors.ts'
import type { Item } from '../protocol/items.ts'
import type { ItemList, ResponseObject } from '../protocol/response.ts'
import type { Store } from '../store/store.ts'
import type { Caller, PageQuery } from './engine.ts'
import { type HistoryCache, readLinks } from './history.ts'
import type { EngineSettings } from './settings.ts'
import { shownItem } from './shown-item.ts'

export type ReadDeps = {
  readonly store: Store
  readonly cache: HistoryCache
  readonly settings: EngineSettings
}

export async function getResponse(id: string, caller: Caller, deps: ReadDeps): Promise<ResponseObject> {
  const response = await deps.store.forProject(caller.principal.projectId).getResponse(id)
  if (!response) throw responseNotFound(id)
  return response
}

export async function deleteResponse(id: string, caller: Caller, deps: ReadDeps): Promise<void> {
  const { projectId } = caller.principal
  const response = await getResponse(id, caller, deps)
  if (response.status === 'in_progress' || response.status === 'queued') {
    throw badRequest(
      null,
      null,
      `Response '${id}' is still ${response.status}. Wait for it to finish before you delete it.`,
    )
  }
  await deps.store.forProject(projectId).deleteResponse(id)
  deps.cache.dropProject(projectId)
}

/** Only a background run can be cancelled by id; a foreground run ends when its connection is closed. */
export async function cancelResponse(id: string, caller: Caller, deps: ReadDeps): Promise<ResponseObject> {
  await getResponse(id, caller, deps)
  throw badRequest(null, null, 'Cannot cancel a synchronous response.')
}

/** The items the response was made from: the chain it continued, then its own input. */
export async function listInputItems(id: string, page: PageQuery, caller: Caller, deps: ReadDeps): Promise<ItemList> {
  const store = deps.store.forProject(caller.principal.projectId)
  await getResponse(id, caller, deps)
  const { carried, links } = await readLinks(store, id, deps.settings.chainLimits)
  const items = links.flatMap((link) => (link.id === id ? link.input : [...link.input, ...link.output]))
  return toPage([...carried, ...items], page)
}

function toPage(items: readonly Item[], page: PageQuery): ItemList {
  const ordered = page.order === 'asc' ? items : items.toReversed()
  const start = page.after === null ? 0 : afterIndex(ordered, page.after)
  const data = ordered.slice(start, start + page.limit).map((item) => shownItem(item, page.include))
  return {
    object: 'list',
    data,
    first_id: data.at(0)?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: start + data.length < ordered.length,
  }
}

function afterIndex(items: readonly Item[], after: string): number {
  const index = items.findIndex((item) => item.id === after)
  if (index < 0)
    throw badRequest(
      'after',
      'invalid_value',
      `No item with id '${after}' in this list. Use an id from an earlier page.`,
    )
  return index + 1
}
