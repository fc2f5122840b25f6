/**
 * PORT: containers, in which code runs and files lie. A container is a process with one folder; it lives in the memory
 * of this server, is seen by one project alone, and is gone when nobody has used it for a while.
 *
 * - A container that ended on its way is begun anew when it is used: empty, and its next run says so.
 * - Whatever code does is an outcome. `ContainerError` is thrown for what cannot be done at all.
 */
import type { MemoryLimit } from '../protocol/container-rules.ts'

export interface Containers {
  /** Null, or why no code can be run here: completes "Code cannot be run: ...". */
  unavailable(): Promise<string | null>
  /** What runs in them; known once one was opened. */
  traits(): Promise<ContainerTraits>
  /** The most that a container may be given. */
  readonly maxMemoryBytes: number
  readonly maxIdleMs: number
  readonly maxDiskBytes: number
  forProject(projectId: string): ProjectContainers
}

export type ContainerTraits = {
  /** Processes, threads and a shell. */
  readonly hasProcesses: boolean
  /** Python packages of the machine. */
  readonly hasPackages: boolean
}

export interface ProjectContainers {
  /** An id that is free; nothing is made yet. */
  newId(): string
  /** The id of the container that the tools of this response make where they find none: the same for each of them. */
  idFor(responseId: string): string
  create(container: NewContainer): Container
  /** Null when unknown. An expired one is known for a while. */
  get(id: string): Container | null
  /** Null when `after` is unknown. */
  list(page: ContainerPage): { readonly data: readonly Container[]; readonly hasMore: boolean } | null
  /** False when unknown. */
  delete(id: string): boolean
  run(id: string, code: string, options: CodeOptions): Promise<CodeResult>
  /** Side by side. Their output comes by `onOutput` alone. */
  shell(id: string, commands: readonly string[], options: ShellOptions): Promise<ShellResult>
  /** In the order of their making. */
  listFiles(id: string): Promise<readonly ContainerFile[]>
  /** Null when unknown. */
  getFile(id: string, fileId: string): Promise<ContainerFile | null>
  readFile(id: string, file: ContainerFile): AsyncIterable<Uint8Array>
  addFile(id: string, path: string, content: AsyncIterable<Uint8Array> | Uint8Array): Promise<ContainerFile>
  /** The same, unless it was put there under this mark before: code may have changed the file since. */
  seedFile(id: string, seed: SeedFile): Promise<void>
  deleteFile(id: string, fileId: string): Promise<boolean>
}

export type NewContainer = {
  readonly id: string
  readonly name: string
  /** Null: what the server gives. */
  readonly memoryLimit: MemoryLimit | null
  /** Null: as long as the server's setting. */
  readonly idleMs: number | null
  /** A tool made it by itself: it may be ended to make room. */
  readonly isAuto: boolean
}

export type SeedFile = {
  /** Of what is in it. */
  mark(): string
  readonly path: string
  /** Asked for when it is wanted. */
  open(signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | Uint8Array>
}

export type Container = {
  readonly id: string
  readonly name: string
  readonly memoryLimit: MemoryLimit | null
  readonly idleMs: number
  readonly status: 'running' | 'expired'
  /** Seconds since the epoch. */
  readonly createdAt: number
  readonly lastActiveAt: number
}

export type ContainerPage = {
  readonly limit: number
  readonly order: 'asc' | 'desc'
  readonly after: string | null
  readonly name: string | null
}

export type ContainerFile = {
  readonly id: string
  readonly containerId: string
  /** Below the folder of the container. */
  readonly path: string
  readonly bytes: number
  readonly createdAt: number
  readonly source: 'user' | 'assistant'
}

export type CodeOptions = { readonly signal: AbortSignal; readonly wallMs?: number }

/** `command`: which of them. */
export type CommandOutput =
  | { readonly type: 'stdout' | 'stderr'; readonly command: number; readonly text: string }
  /** It says nothing more. `code` below zero: of the signal that ended it. */
  | { readonly type: 'exit'; readonly command: number; readonly code: number }
export type ShellOptions = CodeOptions & { readonly onOutput: (piece: CommandOutput) => void }

export type CodeStatus = 'ok' | 'error' | 'interrupted' | 'timeout' | 'cpu' | 'memory' | 'files' | 'exited'

export type CodeResult = {
  readonly status: CodeStatus
  readonly exitCode: number | null
  /** Text without what cannot be stored. */
  readonly stdout: string
  readonly stderr: string
  readonly isCut: boolean
  /** Whether variables of earlier runs are gone. */
  readonly isStateLost: boolean
  /** Whether the container itself began anew before this run: its files are gone too. */
  readonly isNew: boolean
  /** PNG, in the order in which they were shown; each is a file too. */
  readonly images: readonly Uint8Array[]
  /** Made or changed by this run. */
  readonly files: readonly ContainerFile[]
}

/** `exits`: of each command; null for one that a limit ended. */
export type ShellResult = Pick<CodeResult, 'status' | 'isCut' | 'isNew' | 'files'> & {
  readonly exits: readonly (number | null)[]
}

/** The message is for the caller, and for a model. */
export class ContainerError extends Error {
  override readonly name = 'ContainerError'
  readonly reason: 'unavailable' | 'full' | 'gone' | 'failed'

  constructor(reason: 'unavailable' | 'full' | 'gone' | 'failed', message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

/** Where the folder of a container is, for code and for those who cite its files. */
export const CONTAINER_FOLDER = '/mnt/data'

/** A replica has the database of the others, and not their containers. */
export const unknownContainer = (id: string): string =>
  `Container with id '${id}' not found. A container is known to the server that made it alone, and ends with it.`
