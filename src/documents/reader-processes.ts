/**
 * Reads each document in a process of its own, within limits of time and memory. A parser that is made to run wild, or to
 * do what it was not written for, then harms one process that holds nothing but the document it was given.
 *
 * A process per document costs a tenth of a second. One for all would be quicker and would carry what a hostile document
 * did to it into the next one.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Clock } from '../lib/clock.ts'
import { ownModule, PROGRAM_ROOT } from '../lib/own-files.ts'
import type { Order, Outcome, Reply, Task } from './document-process.ts'
import { DocumentError, type Drawing, type PageImage, type SourceDocument } from './document-reader.ts'
import type { DocumentFormat } from './formats.ts'

export const DOCUMENT_LIMITS = {
  /** Of one document, the start of its process included. */
  timeMs: 30_000,
  /** Resident; half a gigabyte with what it grows by between two looks. */
  memoryBytes: 400 * 1024 * 1024,
  /** Characters of its text. */
  chars: 10_485_760,
  /** Of the pictures of its pages, all together. */
  imageBytes: 16 * 1024 * 1024,
  /** Processes at once, and documents that wait for one. */
  running: 2,
  waiting: 64,
} as const
export type DocumentLimits = { readonly [Name in keyof typeof DOCUMENT_LIMITS]: number }

const PROCESS_FILE = fileURLToPath(ownModule('document-process', import.meta.url))
/** Of it for what JavaScript holds; the rest is for the document and what is unpacked. */
const HEAP_MB = 256
/** Garbage is taken away before there is much of it: it counts as memory like all else. Drawing 36 pages: 417 -> 169 MB. */
const YOUNG_MB = 2
const WATCH_MS = 20
const LOW_PRIORITY = 10

export interface ReaderProcesses {
  /** Throws `DocumentError` and `signal.reason`. */
  readText(format: DocumentFormat, document: SourceDocument, signal: AbortSignal): Promise<readonly string[]>
  /** Likewise. */
  drawPages(
    format: DocumentFormat,
    document: SourceDocument,
    drawing: Drawing,
    signal: AbortSignal,
  ): Promise<readonly PageImage[]>
  /** Ends all processes. */
  close(): Promise<void>
}

export function createReaderProcesses(clock: Clock, limits: DocumentLimits = DOCUMENT_LIMITS): ReaderProcesses {
  const running = new Set<ChildProcess>()
  const waiting: (() => void)[] = []
  let busy = 0
  const enter = async () => {
    if (busy < limits.running) {
      busy += 1
      return
    }
    if (waiting.length >= limits.waiting) throw new DocumentError('busy', 'too many documents wait to be read')
    await new Promise<void>((resolve) => waiting.push(resolve))
  }
  const leave = () => {
    const next = waiting.shift()
    if (next) next()
    else busy -= 1
  }
  const run = async (format: DocumentFormat, { bytes }: SourceDocument, task: Task, signal: AbortSignal) => {
    signal.throwIfAborted()
    await enter()
    try {
      signal.throwIfAborted()
      const child = startProcess()
      running.add(child)
      child.once('exit', () => running.delete(child))
      const order: Order = { format: format.name, bytes: bytes.length, task }
      child.send(order, ignore)
      child.stdin?.end(bytes)
      return await answerOf(child, { clock, limits, signal })
    } finally {
      leave()
    }
  }
  return {
    async readText(format, document, signal) {
      const outcome = await run(format, document, { type: 'text', maxChars: limits.chars }, signal)
      return outcome.type === 'text' ? outcome.pages : []
    },
    async drawPages(format, document, drawing, signal) {
      const task: Task = { type: 'images', drawing, maxBytes: limits.imageBytes }
      const outcome = await run(format, document, task, signal)
      return outcome.type === 'images' ? outcome.images : []
    },
    async close() {
      const ends = [...running].map((child) => new Promise((resolve) => child.once('exit', resolve)))
      for (const child of running) child.kill('SIGKILL')
      await Promise.all(ends)
    },
  }
}

const ignore = () => {}

function startProcess(): ChildProcess {
  const child = fork(PROCESS_FILE, {
    serialization: 'advanced',
    env: {},
    execArgv: [
      '--permission',
      `--allow-fs-read=${programRoot()}`,
      `--max-old-space-size=${HEAP_MB}`,
      `--max-semi-space-size=${YOUNG_MB}`,
    ],
    stdio: ['pipe', 'ignore', 'ignore', 'ipc'],
  })
  // What goes wrong with it is told by its end.
  child.on('error', ignore)
  child.stdin?.on('error', ignore)
  try {
    if (child.pid !== undefined) setPriority(child.pid, LOW_PRIORITY)
  } catch {
    // It has ended already.
  }
  return child
}

/** The folder that holds the program and its packages: the checkout, or the outermost `node_modules`. */
function programRoot(): string {
  const packages = PROCESS_FILE.split(/(?<=[/\\]node_modules[/\\])/)[0]
  if (packages !== undefined && packages !== PROCESS_FILE) return `${packages}*`
  return `${PROGRAM_ROOT}*`
}

type Waiting = { readonly clock: Clock; readonly limits: DocumentLimits; readonly signal: AbortSignal }

/** How the process ends whose heap is full, and the one that the system ends when memory is short. */
const OUT_OF_MEMORY: ReadonlySet<NodeJS.Signals> = new Set(['SIGABRT', 'SIGTRAP', 'SIGKILL'])

/** The process is dead when this settles, or about to be. */
function answerOf(child: ChildProcess, { clock, limits, signal }: Waiting): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      stopClock()
      stopWatch()
      signal.removeEventListener('abort', onAbort)
      child.removeAllListeners('message')
      child.off('exit', onExit)
      child.kill('SIGKILL')
      finish()
    }
    const fail = (kind: DocumentError['kind'], message: string) =>
      settle(() => reject(new DocumentError(kind, message)))
    const onAbort = () => settle(() => reject(signal.reason))
    const onExit = (_: number | null, signal: NodeJS.Signals | null) => {
      if (signal !== null && OUT_OF_MEMORY.has(signal)) fail('too-large', 'reading it takes too much memory')
      else fail('malformed', 'it broke its reader')
    }
    const stopClock = clock.after(limits.timeMs, () => fail('too-large', 'reading it takes too long'))
    const stopWatch = watchMemory(child, clock, limits.memoryBytes, () =>
      fail('too-large', 'reading it takes too much memory'),
    )
    child.once('message', (reply: Reply) => {
      if (reply.type === 'error') fail(reply.kind, reply.message)
      else settle(() => resolve(reply))
    })
    child.once('exit', onExit)
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
  })
}

/** The heap has its own bound; what lies beside it is looked at where the system tells. */
function watchMemory(child: ChildProcess, clock: Clock, maxBytes: number, onOver: () => void): () => void {
  let stopped = false
  let cancel = ignore
  const look = async () => {
    const used = await residentBytes(child.pid)
    if (stopped) return
    if (used > maxBytes) onOver()
    else cancel = clock.after(WATCH_MS, look)
  }
  cancel = clock.after(WATCH_MS, look)
  return () => {
    stopped = true
    cancel()
  }
}

/** 0 where the system does not tell. */
async function residentBytes(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024
}
