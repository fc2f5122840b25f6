/** What of a container can be had here; what cannot is refused by name before anything is answered. */
import { admitMemory, admitNetwork } from '../../protocol/container-rules.ts'
import { badRequest } from '../../protocol/errors.ts'
import { MAX_CONTAINER_FILE_IDS } from '../../protocol/hosted-tools.ts'
import type { ToolParam } from '../../protocol/tools.ts'
import { type Containers, unknownContainer } from '../containers.ts'
import type { FileSource } from '../file-source.ts'

type Wanted = Exclude<NonNullable<Extract<ToolParam, { type: 'code_interpreter' }>['container']>, string>
/** By its id, or one of the server's choice. */
export type AskedContainer = string | Omit<Wanted, 'type'>

type Here = { readonly containers: Containers; readonly source: FileSource; readonly projectId: string }

export async function admitContainer(wanted: AskedContainer, path: string, here: Here): Promise<void> {
  if (typeof wanted === 'string') return admitById(wanted, path, here)
  admitNetwork(wanted.network_policy, `${path}.network_policy`)
  admitMemory(wanted.memory_limit, `${path}.memory_limit`, here.containers.maxMemoryBytes)
  await admitFiles(wanted.file_ids ?? [], `${path}.file_ids`, here)
}

function admitById(id: string, path: string, { containers, projectId }: Here): void {
  const known = containers.forProject(projectId).get(id)
  if (known?.status === 'running') return
  const shown = id.slice(0, 100)
  const why = known ? `Container with id '${shown}' has expired.` : unknownContainer(shown)
  throw badRequest(path, 'container_not_found', why)
}

async function admitFiles(ids: readonly string[], path: string, { source, projectId }: Here): Promise<void> {
  if (ids.length > MAX_CONTAINER_FILE_IDS)
    throw badRequest(path, 'array_above_max_length', `Invalid '${path}': at most ${MAX_CONTAINER_FILE_IDS} files.`)
  const signal = new AbortController().signal
  for (const [index, id] of ids.entries()) {
    if (await source.open(projectId, id, signal)) continue
    throw badRequest(`${path}[${index}]`, 'file_not_found', `No such File object: ${id.slice(0, 100)}`)
  }
}
