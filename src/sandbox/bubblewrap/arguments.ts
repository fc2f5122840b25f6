/** The command line of a container: what it sees of the machine, which is little, and nothing of it to write to. */
import { lstatSync } from 'node:fs'
import type { SessionLimits } from '../sandbox.ts'

export const ROOT = '/mnt/data'
const SUPERVISOR = '/run/supervisor.py'
const INTERPRETER = '/run/interpreter.py'
const USER = 1000
/** Scratch space beside the folder of the container. */
export const SCRATCH_BYTES = 64 * 1024 * 1024
export const MAX_IMAGES = 10
export const MAX_LISTED_FILES = 1_000
export const MAX_IMAGE_BYTES = 4 * 1024 * 1024

/** Descriptors that bubblewrap reads from. */
export const DATA_FDS = { supervisor: 3, interpreter: 4, passwd: 5, group: 6, seccomp: 7 } as const

export const PASSWD = `root:x:0:0::/:/usr/sbin/nologin\nuser:x:${USER}:${USER}::/tmp:/bin/bash\n`
export const GROUP = `root:x:0:\nuser:x:${USER}:\n`

const ENVIRONMENT = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  HOME: '/tmp',
  LANG: 'C.UTF-8',
  TZ: 'UTC',
  MPLCONFIGDIR: '/tmp/matplotlib',
  // Threads that a library starts by itself count as processes.
  OMP_NUM_THREADS: '2',
  OPENBLAS_NUM_THREADS: '2',
}

/** What Python and its packages read of /etc. None of it says anything of this machine. */
const READ_IN_ETC = ['alternatives', 'fonts', 'ld.so.cache', 'matplotlibrc', 'mime.types', 'papersize']

export type ContainerArguments = {
  readonly python: string
  readonly limits: SessionLimits
  readonly hasSeccomp: boolean
}

export function bubblewrapArguments({ python, limits, hasSeccomp }: ContainerArguments): readonly string[] {
  const { supervisor, interpreter } = DATA_FDS
  return [
    ...containment(ENVIRONMENT),
    ...dataFile(supervisor, SUPERVISOR),
    ...dataFile(interpreter, INTERPRETER),
    '--proc',
    '/proc',
    ...ownMemory(limits),
    ...sealed(hasSeccomp),
    python,
    '-I',
    '-B',
    SUPERVISOR,
    JSON.stringify(supervisorLimits(python, limits)),
  ]
}

/** What every container is: alone, without rights, and with nothing of the machine but its programs. */
export function containment(environment: Readonly<Record<string, string>>): readonly string[] {
  const { passwd, group } = DATA_FDS
  return [
    '--unshare-all',
    '--die-with-parent',
    '--new-session',
    '--as-pid-1',
    '--clearenv',
    '--uid',
    String(USER),
    '--gid',
    String(USER),
    '--hostname',
    'container',
    '--cap-drop',
    'ALL',
    ...Object.entries(environment).flatMap(([name, value]) => ['--setenv', name, value]),
    '--ro-bind',
    '/usr',
    '/usr',
    ...['bin', 'sbin', 'lib', 'lib32', 'lib64'].flatMap(systemFolder),
    ...READ_IN_ETC.flatMap((name) => ['--ro-bind-try', `/etc/${name}`, `/etc/${name}`]),
    ...dataFile(passwd, '/etc/passwd'),
    ...dataFile(group, '/etc/group'),
  ]
}

export const dataFile = (fd: number, path: string): readonly string[] => ['--ro-bind-data', String(fd), path]

export const memoryFolder = (path: string, bytes: number): readonly string[] => [
  '--size',
  String(bytes),
  '--tmpfs',
  path,
]

/** Where it may write. */
export const ownMemory = ({ diskBytes }: SessionLimits): readonly string[] => [
  '--dev',
  '/dev',
  ...memoryFolder('/dev/shm', SCRATCH_BYTES),
  ...memoryFolder('/tmp', SCRATCH_BYTES),
  ...memoryFolder(ROOT, diskBytes),
]

export const sealed = (hasSeccomp: boolean): readonly string[] => [
  // They are memory too, without a bound of their own.
  '--remount-ro',
  '/dev',
  '--remount-ro',
  '/',
  '--chdir',
  ROOT,
  ...(hasSeccomp ? ['--seccomp', String(DATA_FDS.seccomp)] : []),
]

const supervisorLimits = (python: string, limits: SessionLimits) => ({
  root: ROOT,
  interpreter: INTERPRETER,
  python,
  wall: limits.wallMs / 1000,
  cpu: limits.cpuMs / 1000,
  memory: limits.memoryBytes,
  disk: limits.diskBytes,
  output: limits.outputBytes,
  processes: limits.processes,
  files: limits.files,
  listed: MAX_LISTED_FILES,
  images: MAX_IMAGES,
  image: MAX_IMAGE_BYTES,
})

/** A link into /usr on most systems, a folder on others. */
function systemFolder(name: string): readonly string[] {
  const found = lstatSync(`/${name}`, { throwIfNoEntry: false })
  if (found === undefined) return []
  return found.isSymbolicLink() ? ['--symlink', `usr/${name}`, `/${name}`] : ['--ro-bind', `/${name}`, `/${name}`]
}
