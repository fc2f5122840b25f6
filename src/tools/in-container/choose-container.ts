/** Which container the calls of one response run in, and what has to be there before the first of them. */
import type { MemoryLimit } from '../../protocol/container-rules.ts'
import type { Containers, ProjectContainers, SeedFile } from '../containers.ts'
import type { FileSource } from '../file-source.ts'
import type { Preparation, ToolContext } from '../tool.ts'
import { lastContainerOf } from './last-container.ts'
import { seedsOf } from './seed-files.ts'

/** As a tool was given it: one by its id, or what a new one is made with. */
export type WantedContainer =
  | string
  | { readonly file_ids?: readonly string[]; readonly memory_limit?: MemoryLimit | null | undefined }

export type ChosenContainer = {
  readonly id: string
  readonly containers: ProjectContainers
  /** What lies in it from the beginning. */
  readonly seeds: readonly SeedFile[]
  /** Makes it, where it is not there. Throws `ContainerError`, and may be asked again then. */
  ready(): Promise<void>
}

export type ChooseParts = { readonly containers: Containers; readonly source: FileSource }

export async function chooseContainer(
  wanted: WantedContainer,
  { items }: Preparation,
  { projectId, responseId, signal }: ToolContext,
  { containers, source }: ChooseParts,
): Promise<ChosenContainer> {
  const mine = containers.forProject(projectId)
  const id = typeof wanted === 'string' ? wanted : (lastContainerOf(items, mine) ?? mine.idFor(responseId))
  const fileIds = typeof wanted === 'string' ? [] : (wanted.file_ids ?? [])
  const seeds = await seedsOf(items, fileIds, { projectId, source, signal })
  const make = async () => {
    if (mine.get(id)?.status !== 'running' && typeof wanted !== 'string') {
      mine.create({ id, name: 'auto', memoryLimit: wanted.memory_limit ?? null, idleMs: null, isAuto: true })
    }
    for (const seed of seeds) await mine.seedFile(id, seed)
  }
  return { id, containers: mine, seeds, ready: oncePassed(make) }
}

/** Another call may find room where one did not. */
function oncePassed(work: () => Promise<void>): () => Promise<void> {
  let passing: Promise<void> | null = null
  return () => {
    const current = passing ?? work()
    passing = current
    current.catch(() => {
      passing = null
    })
    return current
  }
}
