/** What of a container can be had here; what cannot is refused by name before anything is answered. */
import { admitMemory, admitNetwork } from '../../protocol/container-rules.ts'
import { badRequest, unsupportedParameter } from '../../protocol/errors.ts'
import type { ToolParam } from '../../protocol/tools.ts'
import type { Containers } from '../containers.ts'

type Wanted = NonNullable<Extract<ToolParam, { type: 'code_interpreter' }>['container']>

export function admitContainer(wanted: Wanted, path: string, containers: Containers, projectId: string): void {
  if (typeof wanted === 'string') {
    const known = containers.forProject(projectId).get(wanted)
    if (known?.status === 'running') return
    const why = known ? 'has expired' : 'not found'
    throw badRequest(path, 'container_not_found', `Container with id '${wanted.slice(0, 100)}' ${why}.`)
  }
  admitNetwork(wanted.network_policy, `${path}.network_policy`)
  admitMemory(wanted.memory_limit, `${path}.memory_limit`, containers.maxMemoryBytes)
  if (wanted.file_ids !== undefined && wanted.file_ids.length > 0)
    throw unsupportedParameter(`${path}.file_ids`, 'This server keeps no files yet; send the file in the input.')
}
