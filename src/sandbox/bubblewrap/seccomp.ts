/**
 * The filter of system calls that a container runs under, as a program for the kernel. It is the third wall, behind
 * namespaces and the loss of all capabilities: it takes away what widens the kernel's surface or escapes our counting.
 *
 * Null where we know no numbers for the processor.
 */

export type SeccompOptions = {
  /** It stays the only process of its container: threads may start, processes may not. */
  readonly onlyProcess?: boolean
}

type Architecture = { readonly audit: number; readonly calls: Readonly<Record<string, number>> }

/** Answered with EPERM. Memory that no process holds, as of `memfd_create` or SysV, is counted by nobody. */
const DENIED = [
  'ptrace process_vm_readv process_vm_writev process_madvise kcmp pidfd_getfd',
  'mount umount2 pivot_root chroot unshare setns fsopen fsconfig fsmount fspick open_tree move_mount mount_setattr',
  'bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register',
  'keyctl add_key request_key init_module finit_module delete_module kexec_load kexec_file_load',
  'open_by_handle_at name_to_handle_at fanotify_init quotactl quotactl_fd swapon swapoff reboot syslog acct',
  'settimeofday clock_settime adjtimex clock_adjtime personality lookup_dcookie nfsservctl',
  'memfd_create memfd_secret shmget shmat semget msgget mq_open vhangup iopl ioperm modify_ldt uselib ustat sysfs',
]
  .join(' ')
  .split(' ')

const X64: Architecture = {
  audit: 0xc000_003e,
  calls: {
    socket: 41,
    socketpair: 53,
    fork: 57,
    vfork: 58,
    clone: 56,
    clone3: 435,
    ioctl: 16,
    ptrace: 101,
    process_vm_readv: 310,
    process_vm_writev: 311,
    process_madvise: 440,
    kcmp: 312,
    pidfd_getfd: 438,
    mount: 165,
    umount2: 166,
    pivot_root: 155,
    chroot: 161,
    unshare: 272,
    setns: 308,
    fsopen: 430,
    fsconfig: 431,
    fsmount: 432,
    fspick: 433,
    open_tree: 428,
    move_mount: 429,
    mount_setattr: 442,
    bpf: 321,
    perf_event_open: 298,
    userfaultfd: 323,
    io_uring_setup: 425,
    io_uring_enter: 426,
    io_uring_register: 427,
    keyctl: 250,
    add_key: 248,
    request_key: 249,
    init_module: 175,
    finit_module: 313,
    delete_module: 176,
    kexec_load: 246,
    kexec_file_load: 320,
    open_by_handle_at: 304,
    name_to_handle_at: 303,
    fanotify_init: 300,
    quotactl: 179,
    quotactl_fd: 443,
    swapon: 167,
    swapoff: 168,
    reboot: 169,
    syslog: 103,
    acct: 163,
    settimeofday: 164,
    clock_settime: 227,
    adjtimex: 159,
    clock_adjtime: 305,
    personality: 135,
    lookup_dcookie: 212,
    nfsservctl: 180,
    memfd_create: 319,
    memfd_secret: 447,
    shmget: 29,
    shmat: 30,
    semget: 64,
    msgget: 68,
    mq_open: 240,
    vhangup: 153,
    iopl: 172,
    ioperm: 173,
    modify_ldt: 154,
    uselib: 134,
    ustat: 136,
    sysfs: 139,
  },
}

const ARM64: Architecture = {
  audit: 0xc000_00b7,
  calls: {
    socket: 198,
    socketpair: 199,
    clone: 220,
    clone3: 435,
    ioctl: 29,
    ptrace: 117,
    process_vm_readv: 270,
    process_vm_writev: 271,
    process_madvise: 440,
    kcmp: 272,
    pidfd_getfd: 438,
    mount: 40,
    umount2: 39,
    pivot_root: 41,
    chroot: 51,
    unshare: 97,
    setns: 268,
    fsopen: 430,
    fsconfig: 431,
    fsmount: 432,
    fspick: 433,
    open_tree: 428,
    move_mount: 429,
    mount_setattr: 442,
    bpf: 280,
    perf_event_open: 241,
    userfaultfd: 282,
    io_uring_setup: 425,
    io_uring_enter: 426,
    io_uring_register: 427,
    keyctl: 219,
    add_key: 217,
    request_key: 218,
    init_module: 105,
    finit_module: 273,
    delete_module: 106,
    kexec_load: 104,
    kexec_file_load: 294,
    open_by_handle_at: 265,
    name_to_handle_at: 264,
    fanotify_init: 262,
    quotactl: 60,
    quotactl_fd: 443,
    swapon: 224,
    swapoff: 225,
    reboot: 142,
    syslog: 116,
    acct: 89,
    settimeofday: 170,
    clock_settime: 112,
    adjtimex: 171,
    clock_adjtime: 266,
    personality: 92,
    lookup_dcookie: 18,
    nfsservctl: 42,
    memfd_create: 279,
    memfd_secret: 447,
    shmget: 194,
    shmat: 196,
    semget: 190,
    msgget: 186,
    mq_open: 180,
    vhangup: 58,
  },
}

const ARCHITECTURES: Readonly<Record<string, Architecture>> = { x64: X64, arm64: ARM64 }

/** Offsets in what the filter is shown of a call. */
const NUMBER = 0
const ARCH = 4
const argument = (index: number) => 16 + 8 * index

const LOAD = 0x20
const JUMP_EQUAL = 0x15
const JUMP_ANY_BIT = 0x45
const JUMP_AT_LEAST = 0x35
const RETURN = 0x06

const ALLOW = 0x7fff_0000
const KILL = 0x8000_0000
const errno = (number: number) => 0x0005_0000 | number
const EPERM = errno(1)
const EAFNOSUPPORT = errno(97)
/** The C library then goes on without the call. */
const ENOSYS = errno(38)

const AF_UNIX = 1
/** What a new thread is told by: it shares everything with its process. */
const CLONE_THREAD = 0x0001_0000
/** Every CLONE_NEW* that fits `clone`. */
const NEW_NAMESPACES = 0x7e02_0000
const TIOCSTI = 0x5412
const TIOCLINUX = 0x541c
/** Calls of the x32 ABI, which have numbers of their own. */
const X32_BIT = 0x4000_0000

type Step = { readonly code: number; readonly k: number; readonly yes: number; readonly no: number }
const step = (code: number, k: number, yes = 0, no = 0): Step => ({ code, k, yes, no })
const load = (offset: number) => step(LOAD, offset)
const finish = (action: number) => step(RETURN, action)
/** The steps that follow run only for this call. */
const only = (number: number, steps: readonly Step[]): Step[] => [step(JUMP_EQUAL, number, 0, steps.length), ...steps]

export function seccompProgram(processor: string, { onlyProcess = false }: SeccompOptions = {}): Buffer | null {
  const architecture = ARCHITECTURES[processor]
  if (architecture === undefined) return null
  const { audit, calls } = architecture
  const numberOf = (name: string) => calls[name] ?? -1
  const denied = [...DENIED, ...(onlyProcess ? ['fork', 'vfork', 'socket', 'socketpair'] : [])]
  return encode([
    load(ARCH),
    step(JUMP_EQUAL, audit, 1, 0),
    finish(KILL),
    load(NUMBER),
    ...(processor === 'x64' ? [step(JUMP_AT_LEAST, X32_BIT, 0, 1), finish(KILL)] : []),
    ...denied.filter((name) => name in calls).flatMap((name) => only(numberOf(name), [finish(EPERM)])),
    ...only(numberOf('clone3'), [finish(ENOSYS)]),
    ...only(numberOf('clone'), [
      load(argument(0)),
      step(JUMP_ANY_BIT, NEW_NAMESPACES, 0, 1),
      finish(EPERM),
      ...(onlyProcess ? [step(JUMP_ANY_BIT, CLONE_THREAD, 1, 0), finish(EPERM)] : []),
      finish(ALLOW),
    ]),
    ...['socket', 'socketpair'].flatMap((name) =>
      only(numberOf(name), [load(argument(0)), step(JUMP_EQUAL, AF_UNIX, 1, 0), finish(EAFNOSUPPORT), finish(ALLOW)]),
    ),
    ...only(numberOf('ioctl'), [
      load(argument(1)),
      step(JUMP_EQUAL, TIOCSTI, 1, 0),
      step(JUMP_EQUAL, TIOCLINUX, 0, 1),
      finish(EPERM),
      finish(ALLOW),
    ]),
    finish(ALLOW),
  ])
}

/** `struct sock_filter`, little-endian as both processors are. */
function encode(steps: readonly Step[]): Buffer {
  const program = Buffer.alloc(steps.length * 8)
  steps.forEach(({ code, k, yes, no }, index) => {
    program.writeUInt16LE(code, index * 8)
    program.writeUInt8(yes, index * 8 + 2)
    program.writeUInt8(no, index * 8 + 3)
    program.writeUInt32LE(k >>> 0, index * 8 + 4)
  })
  return program
}
