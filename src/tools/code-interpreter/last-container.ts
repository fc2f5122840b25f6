/** The container that a conversation used last, where it still lives. */
import type { Item } from '../../protocol/items.ts'
import type { ProjectContainers } from '../containers.ts'

export function lastContainerOf(items: readonly Item[], containers: ProjectContainers): string | null {
  for (const item of items.toReversed()) {
    if (item.type === 'code_interpreter_call' && containers.get(item.container_id)?.status === 'running')
      return item.container_id
  }
  return null
}
