/** The container of a response: the one that its conversation used last, where it still lives, or one that is new. */
import { isContainerCall } from '../../protocol/client-items.ts'
import type { Item } from '../../protocol/items.ts'
import type { ProjectContainers } from '../containers.ts'

/** Whatever tool used it. */
export function lastContainerOf(items: readonly Item[], containers: ProjectContainers): string | null {
  for (const item of items.toReversed()) {
    const id = containerOf(item)
    if (id !== null && containers.get(id)?.status === 'running') return id
  }
  return null
}

function containerOf(item: Item): string | null {
  if (item.type === 'code_interpreter_call') return item.container_id
  if (!isContainerCall(item) || item.environment?.type !== 'container_reference') return null
  return item.environment.container_id
}
