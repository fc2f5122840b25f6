/** Use cases that read stored responses. */

import { badRequest, responseNotFound } from '../protocol/errors.ts'
import type { Item } from '../protocol/items.ts'
import type { ItemList, ResponseObject } from '../protocol/response.ts'
import type { Store } from '../store/store.ts'
import type { Caller, PageQuery } from './engine.ts'
import { type HistoryCache, readLinks } from './history.ts'
import { listObject } from './list-object.ts'
import { openLog, type ReplayOptions, replayEvents } from './replay-events.ts'
import type { RunStream } from './run-event.ts'
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

/** Refuses before anything is told, so that a refusal is an answer like any other. */
export async function streamResponse(
  id: string,
  after: number,
  caller: Caller,
  deps: ReadDeps & Pick<ReplayOptions, 'clock' | 'detached'>,
): Promise<RunStream> {
  const log = deps.store.forProject(caller.principal.projectId).events
  await openLog(log, id)
  const { clock, detached } = deps
  return replayEvents({ log, responseId: id, after, clock, detached, signal: caller.signal })
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
  return listObject(data, start + data.length < ordered.length)
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
