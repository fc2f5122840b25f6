/** Containers of all projects of this server: who has which, how long they live, and which files lie in them. */
import { hash } from 'node:crypto'
import { type Clock, seconds } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import { MEMORY_LIMITS } from '../protocol/container-rules.ts'
import {
  type CodeOptions,
  type CodeResult,
  type Container,
  ContainerError,
  type Containers,
  type NewContainer,
  type ProjectContainers,
  type ShellOptions,
  type ShellResult,
  unknownContainer,
} from '../tools/containers.ts'
import { createFileTable, type FileTable } from './file-table.ts'
import { collectOutput, createTextStreams } from './run-output.ts'
import { createRunQueue } from './run-queue.ts'
import {
  type RunResult,
  type Sandbox,
  SandboxError,
  type SandboxSession,
  SandboxUnavailable,
  type SessionLimits,
} from './sandbox.ts'

export type ContainersOptions = {
  readonly sandbox: Sandbox
  readonly clock: Clock
  readonly ids: Ids
  readonly session: SessionLimits
  readonly idleMs: number
  readonly total: number
  readonly perProject: number
  readonly runsAtOnce: number
}

/** Expired ones that are still known by name. */
const MAX_REMEMBERED = 1_000
const CHUNK_BYTES = 256 * 1024
/** As many as other ids have. */
const ID_CHARS = 48

type Kept = {
  readonly projectId: string
  readonly isAuto: boolean
  info: Container
  session: Promise<SandboxSession> | null
  /** Of the process that is there, or would be. */
  files: FileTable
  seeded: Set<string>
  /** A process ended that had something in it. */
  wasLost: boolean
  busy: number
  stopIdle: () => void
}

export interface OpenContainers extends Containers {
  close(): Promise<void>
}

export function createContainers(options: ContainersOptions): OpenContainers {
  const { sandbox, clock, ids } = options
  const all = new Map<string, Kept>()
  const queue = createRunQueue(options.runsAtOnce)
  let why: Promise<string | null> | null = null

  const live = () => [...all.values()].filter(({ info }) => info.status === 'running')
  const end = (kept: Kept, status: 'expired' | 'deleted') => {
    kept.stopIdle()
    kept.info = { ...kept.info, status: 'expired' }
    kept.session?.then(
      (session) => session.close(),
      () => {},
    )
    kept.session = null
    if (status === 'deleted') all.delete(kept.info.id)
    forgetOldest(all)
  }
  const touch = (kept: Kept) => {
    kept.stopIdle()
    kept.info = { ...kept.info, lastActiveAt: seconds(clock) }
    kept.stopIdle = clock.after(kept.info.idleMs, () => (kept.busy > 0 ? touch(kept) : end(kept, 'expired')))
  }
  /** Ends what nobody asked for by name and nobody uses, before it refuses. */
  const makeRoom = (projectId: string) => {
    const mine = live().filter((kept) => kept.projectId === projectId)
    if (mine.length < options.perProject && live().length < options.total) return
    const spare = mine.filter((kept) => kept.isAuto && kept.busy === 0)
    const [oldest] = spare.sort((a, b) => a.info.lastActiveAt - b.info.lastActiveAt)
    if (!oldest)
      throw new ContainerError(
        'full',
        `There is no room for another container: a project may have ${options.perProject} at once, the server ${options.total}. Delete one, or wait until one expires.`,
      )
    end(oldest, 'expired')
  }
  const add = (projectId: string, { id, name, memoryLimit, idleMs, isAuto }: NewContainer): Kept => {
    makeRoom(projectId)
    const now = seconds(clock)
    const info: Container = {
      id,
      name,
      memoryLimit,
      idleMs: idleMs ?? options.idleMs,
      status: 'running',
      createdAt: now,
      lastActiveAt: now,
    }
    const kept: Kept = {
      projectId,
      isAuto,
      info,
      session: null,
      files: createFileTable(id, { ids, clock }),
      seeded: new Set(),
      wasLost: false,
      busy: 0,
      stopIdle() {},
    }
    all.set(id, kept)
    touch(kept)
    return kept
  }
  const open = (kept: Kept, signal: AbortSignal): Promise<SandboxSession> => {
    kept.session ??= start(kept, signal)
    return kept.session
  }
  const start = async (kept: Kept, signal: AbortSignal): Promise<SandboxSession> => {
    const { memoryLimit, id } = kept.info
    const memoryBytes =
      memoryLimit === null
        ? options.session.memoryBytes
        : Math.min(MEMORY_LIMITS[memoryLimit], options.session.memoryBytes)
    kept.files = createFileTable(id, { ids, clock })
    kept.seeded = new Set()
    try {
      const session = await sandbox.open({ ...options.session, memoryBytes }, signal)
      void session.ended.then(() => {
        if (kept.info.status !== 'running') return
        kept.session = null
        kept.wasLost = true
      })
      return session
    } catch (error) {
      kept.session = null
      throw error
    }
  }
  /** Runs `work` on a container of the project, which lives at least as long. */
  const use = async <T>(
    projectId: string,
    id: string,
    signal: AbortSignal,
    work: (session: SandboxSession, kept: Kept) => Promise<T>,
  ): Promise<T> => {
    const kept = all.get(id)
    if (kept === undefined || kept.projectId !== projectId) throw gone(id)
    if (kept.info.status !== 'running') throw expired(id)
    kept.busy += 1
    touch(kept)
    try {
      return await work(await open(kept, signal), kept)
    } catch (error) {
      throw toContainerError(error)
    } finally {
      kept.busy -= 1
      if (kept.info.status === 'running') touch(kept)
    }
  }
  /** Whether the container began anew since somebody last used it. */
  const takeLoss = (kept: Kept) => {
    const isNew = kept.wasLost
    kept.wasLost = false
    return isNew
  }
  const run = (projectId: string, id: string, code: string, given: CodeOptions) =>
    use(projectId, id, given.signal, async (session, kept): Promise<CodeResult> => {
      const isNew = takeLoss(kept)
      const output = collectOutput()
      const result = await queue(given.signal, () => session.run(code, { ...given, onOutput: output.add }))
      for (const image of output.images) await addImage(session, kept, image)
      const files = await kept.files.refresh(session, 'assistant')
      return { ...toCodeResult(result), ...output.texts(), images: output.images, files, isNew }
    })
  const addImage = async (session: SandboxSession, kept: Kept, image: Uint8Array) => {
    const path = kept.files.freeName('figure', 'png')
    await session.writeFile(path, image, 0).catch(ignoreSandboxError)
  }
  const shell = (projectId: string, id: string, commands: readonly string[], given: ShellOptions) =>
    use(projectId, id, given.signal, async (session, kept): Promise<ShellResult> => {
      const isNew = takeLoss(kept)
      const streams = createTextStreams(given.onOutput)
      const onOutput = streams.add
      const { status, isCut, exits } = await queue(given.signal, () => session.shell(commands, { ...given, onOutput }))
      streams.close(commands.length)
      return { status, isCut, isNew, exits, files: await kept.files.refresh(session, 'assistant') }
    })
  const NEVER = new AbortController().signal

  const forProject = (projectId: string): ProjectContainers => {
    const find = (id: string) => {
      const kept = all.get(id)
      return kept?.projectId === projectId ? kept : null
    }
    const putFile = (id: string, path: string, content: AsyncIterable<Uint8Array> | Uint8Array) =>
      use(projectId, id, NEVER, async (session, kept) => {
        await writeWhole(session, path, content)
        return kept.files.claim(session, path)
      })
    return {
      newId: () => ids.next('cntr'),
      idFor: (responseId) => `cntr_${hash('sha256', `container of ${responseId}`, 'hex').slice(0, ID_CHARS)}`,
      create: (container) => add(projectId, container).info,
      get: (id) => find(id)?.info ?? null,
      list: (page) =>
        listPage(
          [...all.values()].filter((kept) => kept.projectId === projectId).map(({ info }) => info),
          page,
        ),
      delete(id) {
        const kept = find(id)
        if (kept !== null) end(kept, 'deleted')
        return kept !== null
      },
      run: (id, code, given) => run(projectId, id, code, given),
      shell: (id, commands, given) => shell(projectId, id, commands, given),
      listFiles: (id) =>
        use(projectId, id, NEVER, async (session, kept) => {
          await kept.files.refresh(session, 'assistant')
          return kept.files.list()
        }),
      getFile: (id, fileId) =>
        use(projectId, id, NEVER, async (session, kept) => {
          await kept.files.refresh(session, 'assistant')
          return kept.files.get(fileId)
        }),
      async *readFile(id, { path, bytes }) {
        for (let offset = 0; offset < bytes; ) {
          const piece = await use(projectId, id, NEVER, (session) =>
            session.readFile(path, offset, Math.min(CHUNK_BYTES, bytes - offset)),
          )
          if (piece === null || piece.bytes.byteLength === 0)
            throw new ContainerError('gone', 'The file changed while it was read.')
          yield piece.bytes
          offset += piece.bytes.byteLength
        }
      },
      addFile: putFile,
      seedFile: (id, { mark, path, open: openSeed }) =>
        use(projectId, id, NEVER, async (session, kept) => {
          const seed = `${path} ${mark()}`
          if (kept.seeded.has(seed)) return
          await writeWhole(session, path, await openSeed(NEVER))
          await kept.files.claim(session, path)
          kept.seeded.add(seed)
        }),
      deleteFile: (id, fileId) =>
        use(projectId, id, NEVER, async (session, kept) => {
          const file = kept.files.get(fileId)
          return file !== null && (await session.deleteFile(file.path)) && kept.files.remove(fileId)
        }),
    }
  }
  return {
    traits: sandbox.traits,
    maxMemoryBytes: options.session.memoryBytes,
    maxIdleMs: options.idleMs,
    maxDiskBytes: options.session.diskBytes,
    unavailable() {
      why ??= sandbox.open(options.session, NEVER).then(
        (session) => {
          session.close()
          return null
        },
        (error: unknown) => {
          // It may be better next time; the sandbox knows how often to look.
          why = null
          return error instanceof Error ? error.message : 'the sandbox did not start'
        },
      )
      return why
    },
    forProject,
    async close() {
      for (const kept of [...all.values()]) end(kept, 'deleted')
      await sandbox.close()
    },
  }
}

async function writeWhole(
  session: SandboxSession,
  path: string,
  content: AsyncIterable<Uint8Array> | Uint8Array,
): Promise<void> {
  let offset = 0
  const write = async (piece: Uint8Array) => {
    for (let at = 0; at < piece.byteLength || offset === 0; at += CHUNK_BYTES) {
      const part = piece.subarray(at, at + CHUNK_BYTES)
      await session.writeFile(path, part, offset)
      offset += part.byteLength
      if (piece.byteLength === 0) return
    }
  }
  if (content instanceof Uint8Array) return write(content)
  let isEmpty = true
  for await (const piece of content) {
    isEmpty = false
    await write(piece)
  }
  if (isEmpty) await write(new Uint8Array())
}

const toCodeResult = ({ status, exitCode, isCut, isStateLost }: RunResult) => ({ status, exitCode, isCut, isStateLost })

const gone = (id: string) => new ContainerError('gone', unknownContainer(id))
const expired = (id: string) =>
  new ContainerError('gone', `Container '${id}' has expired: nobody used it for a while. Create a new one.`)

function toContainerError(error: unknown): unknown {
  if (error instanceof SandboxUnavailable)
    return new ContainerError('unavailable', `Code cannot be run: ${error.message}`, { cause: error })
  return error instanceof SandboxError ? new ContainerError('failed', error.message, { cause: error }) : error
}

function ignoreSandboxError(error: unknown): void {
  if (!(error instanceof SandboxError)) throw error
}

function forgetOldest(all: Map<string, Kept>): void {
  const over = [...all.values()].filter(({ info }) => info.status === 'expired')
  for (const { info } of over.slice(0, Math.max(0, over.length - MAX_REMEMBERED))) all.delete(info.id)
}

function listPage(
  containers: readonly Container[],
  { limit, order, after, name }: Parameters<ProjectContainers['list']>[0],
) {
  const named = name === null ? containers : containers.filter((it) => it.name === name)
  const ordered = order === 'asc' ? named : [...named].reverse()
  const from = after === null ? 0 : ordered.findIndex(({ id }) => id === after) + 1
  if (after !== null && from === 0) return null
  return { data: ordered.slice(from, from + limit), hasMore: ordered.length > from + limit }
}
