/** What of a container can be had here; what cannot is refused by name before anything is answered. */
import { ApiError, badRequest, unsupportedParameter } from '../../protocol/errors.ts'
import type { ToolParam } from '../../protocol/tools.ts'
import { type Containers, MEMORY_LIMITS, type MemoryLimit } from '../containers.ts'

type Wanted = NonNullable<Extract<ToolParam, { type: 'code_interpreter' }>['container']>

export const refuseUnavailable = (why: string, path: string) =>
  new ApiError({
    status: 400,
    param: `${path}.type`,
    code: 'tool_unavailable',
    message: `Code cannot be run by this server: ${why}.`,
  })

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

export function admitNetwork(policy: { readonly type: string } | null | undefined, path: string): void {
  if (policy?.type === 'allowlist')
    throw unsupportedParameter(
      path,
      "Containers of this server have no network; leave it out, or say {type: 'disabled'}.",
    )
}

export function admitMemory(limit: MemoryLimit | null | undefined, path: string, maxBytes: number): void {
  if (!limit || MEMORY_LIMITS[limit] <= maxBytes) return
  const most = `This server gives a container at most ${Math.floor(maxBytes / 2 ** 20)} MB; see limits.code_memory.`
  throw badRequest(path, 'unsupported_value', `Unsupported value: '${limit}'. ${most}`)
}
