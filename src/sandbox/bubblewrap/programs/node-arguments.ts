/** The command line of a program's process: a Node, the libraries it is linked with, and one file to run. Nothing else. */

/** Descriptors that bubblewrap reads from. */
export const NODE_FDS = { script: 3, seccomp: 4 } as const

const NODE = '/node'
const SCRIPT = '/program.mjs'
const USER = '1000'
/** Of its memory, what the heap may be: the rest is for Node itself and for buffers. */
const HEAP_SHARE = 0.6
const MB = 1024 * 1024

export type NodeArguments = {
  readonly node: string
  /** Files, each seen under its own path. */
  readonly libraries: readonly string[]
  readonly memoryBytes: number
  readonly hasSeccomp: boolean
}

export function nodeArguments({ node, libraries, memoryBytes, hasSeccomp }: NodeArguments): readonly string[] {
  const { script, seccomp } = NODE_FDS
  return [
    '--unshare-all',
    '--die-with-parent',
    '--new-session',
    '--as-pid-1',
    '--clearenv',
    '--uid',
    USER,
    '--gid',
    USER,
    '--hostname',
    'program',
    '--cap-drop',
    'ALL',
    '--ro-bind',
    node,
    NODE,
    ...libraries.flatMap((path) => ['--ro-bind', path, path]),
    '--ro-bind-data',
    String(script),
    SCRIPT,
    // It would be memory without a bound of its own.
    '--remount-ro',
    '/',
    '--chdir',
    '/',
    ...(hasSeccomp ? ['--seccomp', String(seccomp)] : []),
    NODE,
    // No machine code is made at run time: nothing in its memory is both written and executed.
    '--jitless',
    `--max-old-space-size=${Math.max(16, Math.floor((memoryBytes * HEAP_SHARE) / MB))}`,
    '--no-warnings',
    SCRIPT,
  ]
}

/** A shell that sets limits and becomes what its arguments say. They hold for whatever that becomes in turn. */
export const withLimits = (program: string, args: readonly string[], { memoryBytes, cpuMs }: HardLimits) => ({
  file: '/bin/sh',
  args: [
    '-c',
    // Of memory what is private and written to, wherever it comes from; of files the script, which is written first.
    'ulimit -d "$1" && ulimit -t "$2" && ulimit -n 64 && ulimit -f 256 && ulimit -c 0 && shift 2 && exec "$@"',
    'sh',
    String(Math.floor(memoryBytes / 1024)),
    String(Math.ceil(cpuMs / 1000)),
    program,
    ...args,
  ],
})

type HardLimits = { readonly memoryBytes: number; readonly cpuMs: number }
