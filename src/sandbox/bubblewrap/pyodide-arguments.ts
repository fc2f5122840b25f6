/**
 * The command line of a container whose Python is made of WebAssembly. Two things differ from others: it sees the Node that
 * runs it, and it has no /proc, so that nobody looks into the process that watches.
 */
import type { SessionLimits } from '../sandbox.ts'
import {
  containment,
  DATA_FDS,
  dataFile,
  MAX_LISTED_FILES,
  memoryFolder,
  ownMemory,
  ROOT,
  sealed,
} from './arguments.ts'

const APP = '/app'
const NODE = `${APP}/node`
const PACKAGE = `${APP}/pyodide/`
const SUPERVISOR = `${APP}/supervisor.mjs`
const INTERPRETER = `${APP}/interpreter.mjs`
const CELLS = `${APP}/cells.py`
const CONTROL = '/run/control'
const CONTROL_BYTES = 64 * 1024
const HEAP_MB = 256
/** What Node itself has to be allowed before it starts; with less it aborts. */
const NODE_BYTES = 1_000 * 1024 * 1024

/** Descriptors that bubblewrap reads from, beside those of every container. */
export const PYODIDE_FDS = { ...DATA_FDS, cells: 8 } as const

export type PyodideArguments = {
  /** The program, and the folder of the package. */
  readonly node: string
  readonly pyodide: string
  readonly limits: SessionLimits
  readonly hasSeccomp: boolean
  /** For probes that run in the place of the supervisor: what they look for. */
  readonly hints?: object
}

const ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/tmp', LANG: 'C.UTF-8', TZ: 'UTC' }

export function pyodideArguments({ node, pyodide, limits, hasSeccomp, hints }: PyodideArguments): readonly string[] {
  const { supervisor, interpreter, cells } = PYODIDE_FDS
  return [
    ...containment(ENVIRONMENT),
    '--ro-bind',
    node,
    NODE,
    '--ro-bind',
    pyodide,
    PACKAGE,
    ...dataFile(supervisor, SUPERVISOR),
    ...dataFile(interpreter, INTERPRETER),
    ...dataFile(cells, CELLS),
    ...ownMemory(limits),
    ...memoryFolder(CONTROL, CONTROL_BYTES),
    ...sealed(hasSeccomp),
    NODE,
    '--disable-sigusr1',
    '--max-old-space-size=64',
    SUPERVISOR,
    JSON.stringify({ ...supervisorLimits(limits), ...(hints && { hints }) }),
  ]
}

const supervisorLimits = (limits: SessionLimits) => ({
  root: ROOT,
  interpreter: interpreterCommand(limits),
  interrupt: `${CONTROL}/interrupt`,
  wall: limits.wallMs / 1000,
  /** Kilobytes, as a shell counts them. */
  data: Math.ceil((NODE_BYTES + limits.memoryBytes) / 1024),
  disk: limits.diskBytes,
  output: limits.outputBytes,
  /** Node has ten threads of its own. */
  processes: limits.processes + 16,
  files: limits.files,
  listed: MAX_LISTED_FILES,
})

const interpreterCommand = ({ memoryBytes, cpuMs }: SessionLimits): readonly string[] => [
  NODE,
  '--permission',
  `--allow-fs-read=${APP}`,
  `--allow-fs-read=${ROOT}`,
  `--allow-fs-write=${ROOT}`,
  `--allow-fs-read=${CONTROL}`,
  '--disallow-code-generation-from-strings',
  '--disable-proto=delete',
  '--disable-sigusr1',
  '--no-warnings',
  `--max-old-space-size=${HEAP_MB}`,
  INTERPRETER,
  JSON.stringify({
    root: ROOT,
    memory: memoryBytes,
    cpu: cpuMs,
    interrupt: `${CONTROL}/interrupt`,
    pyodide: PACKAGE,
    cells: CELLS,
  }),
]
