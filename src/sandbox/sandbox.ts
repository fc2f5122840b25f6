/**
 * PORT: a place where code of strangers runs. Whoever holds a session holds one process tree with one folder of its own.
 *
 * The laws, held by `sandbox.contract.ts` for every adapter:
 * - Nothing of the host is reached from inside: no environment, file, process, socket or network.
 * - No limit is passed by more than a second, whatever the code does, and nothing goes on when a run has ended.
 * - What code prints is data: it forges no result, and too much of it is cut.
 * - A sandbox that its own self-test can reach anything from does not open.
 */
export interface Sandbox {
  /** As it is told in logs and errors: `bubblewrap`. */
  readonly name: string
  traits(): Promise<SandboxTraits>
  /** Throws `SandboxUnavailable`, and does so for a while then, or `SandboxError`. */
  open(limits: SessionLimits, signal: AbortSignal): Promise<SandboxSession>
  close(): Promise<void>
}

/** What code finds in it. */
export type SandboxTraits = {
  /** Processes and threads as Python knows them, and a shell. Without: `shell` throws `SandboxError`. */
  readonly hasProcesses: boolean
  /** Python finds the packages that its machine has. */
  readonly hasPackages: boolean
}

export interface SandboxSession {
  /** One at a time. Aborting the signal interrupts the code. Throws `SandboxError` when the session is over. */
  run(code: string, options: RunOptions): Promise<RunResult>
  /** Commands of a shell, side by side, in the same place. */
  shell(commands: readonly string[], options: RunOptions): Promise<ShellResult>
  /** Plain files below the folder, in the order of their names. */
  listFiles(): Promise<FileList>
  /** Null when there is no such plain file. */
  readFile(path: string, offset: number, length: number): Promise<FilePiece | null>
  /** Throws `SandboxError` when there is no room or no such place. Offset 0 begins it anew. */
  writeFile(path: string, piece: Uint8Array, offset: number): Promise<void>
  /** False when there is no such file. */
  deleteFile(path: string): Promise<boolean>
  /** Resolves when the session is over, for whatever reason. */
  readonly ended: Promise<void>
  /** Ends it at once, with all that runs in it. */
  close(): void
}

/** What all code of a session may use. Bytes and milliseconds. */
export type SessionLimits = {
  readonly wallMs: number
  readonly cpuMs: number
  readonly memoryBytes: number
  readonly diskBytes: number
  readonly outputBytes: number
  readonly processes: number
  readonly files: number
}

export type RunOptions = {
  readonly signal: AbortSignal
  /** Less than the session's limit, where the caller wants it. */
  readonly wallMs?: number
  readonly onOutput?: (piece: OutputPiece) => void
}

/** `command`: which of the commands; 0 for code. */
export type OutputPiece =
  | { readonly type: 'stdout' | 'stderr'; readonly bytes: Uint8Array; readonly command: number }
  | { readonly type: 'image'; readonly bytes: Uint8Array }
  /** A command has ended by itself; it says nothing more. `code` below zero: of the signal that ended it. */
  | { readonly type: 'exit'; readonly command: number; readonly code: number }

/** `exited`: the process ended itself. The others name the limit. */
export const RUN_STATUSES = ['ok', 'error', 'interrupted', 'timeout', 'cpu', 'memory', 'files', 'exited'] as const

export type RunResult = {
  readonly status: (typeof RUN_STATUSES)[number]
  /** Of a process that ended; below zero: of the signal that ended it. */
  readonly exitCode: number | null
  /** Whether output was cut. */
  readonly isCut: boolean
  /** Whether the variables of earlier runs are gone. Files stay. */
  readonly isStateLost: boolean
}

/** `exits`: of each command, as in `exit`; null for one that was ended. */
export type ShellResult = RunResult & { readonly exits: readonly (number | null)[] }

/** `version` changes when the file does. */
export type SandboxFile = { readonly path: string; readonly bytes: number; readonly version: string }
export type FileList = { readonly files: readonly SandboxFile[]; readonly hasMore: boolean }
export type FilePiece = { readonly bytes: Uint8Array; readonly size: number }

/** A session is over, or cannot do what was asked. The message is for its user. */
export class SandboxError extends Error {
  override readonly name = 'SandboxError'
}

/** There is no sandbox here. The message completes "Code cannot be run: ..." and says what to do. */
export class SandboxUnavailable extends Error {
  override readonly name = 'SandboxUnavailable'
}
