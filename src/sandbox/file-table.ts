/** The files of one container by id. Code makes them as it likes: what there is shows only when it is looked at. */
import { type Clock, seconds } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { ContainerFile } from '../tools/containers.ts'
import { SandboxError, type SandboxFile, type SandboxSession } from './sandbox.ts'

export interface FileTable {
  /** Looks; answers what is new or changed since the last look. New files are of `source`. */
  refresh(session: SandboxSession, source: ContainerFile['source']): Promise<readonly ContainerFile[]>
  /** A file that a user has just put there. */
  claim(session: SandboxSession, path: string): Promise<ContainerFile>
  list(): readonly ContainerFile[]
  get(id: string): ContainerFile | null
  remove(id: string): boolean
  /** A name that no file had at the last look: `figure-2.png`. It is not given again. */
  freeName(stem: string, ending: string): string
}

type Row = { readonly file: ContainerFile; readonly version: string }

export function createFileTable(
  containerId: string,
  { ids, clock }: { readonly ids: Ids; readonly clock: Clock },
): FileTable {
  const byPath = new Map<string, Row>()
  const given = new Set<string>()
  const write = (found: SandboxFile, source: ContainerFile['source']): ContainerFile => {
    const { path, bytes, version } = found
    const known = byPath.get(path)?.file
    const file: ContainerFile = known
      ? { ...known, bytes }
      : { id: ids.next('cfile'), containerId, path, bytes, createdAt: seconds(clock), source }
    byPath.set(path, { file, version })
    return file
  }
  const look = async (session: SandboxSession) => {
    const { files } = await session.listFiles()
    const there = new Set(files.map(({ path }) => path))
    for (const path of byPath.keys()) if (!there.has(path)) byPath.delete(path)
    return files.filter(({ path, version }) => byPath.get(path)?.version !== version)
  }
  return {
    refresh: async (session, source) => (await look(session)).map((found) => write(found, source)),
    async claim(session, path) {
      const changed = await look(session)
      const found = changed.find((it) => it.path === path)
      const before = byPath.get(path)
      if (!found) {
        if (before) return before.file
        throw new SandboxError('The container has too many files to list another one.')
      }
      return write(found, 'user')
    },
    list: () => [...byPath.values()].map(({ file }) => file),
    get: (id) => [...byPath.values()].find(({ file }) => file.id === id)?.file ?? null,
    remove(id) {
      const path = [...byPath.values()].find(({ file }) => file.id === id)?.file.path
      return path !== undefined && byPath.delete(path)
    },
    freeName(stem, ending) {
      for (let number = 1; ; number += 1) {
        const name = `${stem}-${number}.${ending}`
        if (byPath.has(name) || given.has(name)) continue
        given.add(name)
        return name
      }
    },
  }
}
