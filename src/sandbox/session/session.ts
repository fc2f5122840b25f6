/**
 * The server's side of a container: one request after another over a channel, each with a clock of its own.
 *
 * Invariant: the container is not trusted to keep time. Where it does not answer a second after its limit it is killed.
 */
import type { Clock } from '../../lib/clock.ts'
import {
  type FileList,
  type FilePiece,
  type OutputPiece,
  RUN_STATUSES,
  type RunOptions,
  type RunResult,
  SandboxError,
  type SandboxFile,
  type SandboxSession,
  type SessionLimits,
} from '../sandbox.ts'
import type { Channel } from './channel.ts'
import { createFrameDecoder, encodeFrame, type Frame } from './frames.ts'

export type SessionParts = {
  readonly channel: Channel
  readonly clock: Clock
  readonly limits: SessionLimits
}

/** Until a container that was started can be spoken to; on a machine that is busy with others, a Python of WebAssembly takes 20 s. */
const START_MS = 60_000
/** For what is no run: lists and pieces of files. */
const FILE_MS = 10_000
/** How much longer than its limit a run may take to be told of. */
const BACKSTOP_MS = 900

type Waiting = {
  readonly id: number
  readonly onFrame: (frame: Frame) => void
  readonly fail: (error: SandboxError) => void
}

/** Resolves when the container is ready. */
export async function openSession({ channel, clock, limits }: SessionParts): Promise<SandboxSession> {
  const line = openLine(channel)
  await line.ask({ waitMs: START_MS, clock, request: null, isLast: ({ header }) => header.type === 'ready' })
  let queue: Promise<unknown> = Promise.resolve()
  /** One after another; a failure is the caller's own. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = queue.then(work)
    queue = done.catch(() => {})
    return done
  }
  const askFor = (request: object, body?: Uint8Array) =>
    inTurn(() => line.ask({ waitMs: FILE_MS, clock, request, ...(body && { body }), isLast: () => true }))
  const execute = (op: 'run' | 'shell', text: string, options: RunOptions) =>
    inTurn(() => runOnce(line, { op, text, options, clock, limits }))
  return {
    run: (code, options) => execute('run', code, options),
    async shell(commands, options) {
      const exits: (number | null)[] = commands.map(() => null)
      const onOutput = (piece: OutputPiece) => {
        if (piece.type === 'exit' && piece.command in exits) exits[piece.command] = piece.code
        options.onOutput?.(piece)
      }
      const result = await execute('shell', JSON.stringify(commands), { ...options, onOutput })
      return { ...result, exits }
    },
    listFiles: async () => readList(await askFor({ op: 'list' })),
    readFile: async (path, offset, length) => readPiece(await askFor({ op: 'get', path, offset, length })),
    async writeFile(path, piece, offset) {
      const { header } = await askFor({ op: 'put', path, offset }, piece)
      if (header.type !== 'done') throw new SandboxError(`The file cannot be written: ${reasonOf(header)}.`)
    },
    deleteFile: async (path) => (await askFor({ op: 'delete', path })).header.type === 'done',
    ended: line.ended,
    close: () => line.end('The container was ended.'),
  }
}

type Ask = {
  readonly waitMs: number
  readonly clock: Clock
  /** Null: nothing is sent, the container speaks first. */
  readonly request: object | null
  readonly body?: Uint8Array
  readonly onFrame?: (frame: Frame) => void
  readonly isLast: (frame: Frame) => boolean
}

type Line = ReturnType<typeof openLine>

function openLine(channel: Channel) {
  const decode = createFrameDecoder()
  const end = Promise.withResolvers<void>()
  let failure: SandboxError | null = null
  let waiting: Waiting | null = null
  let lastId = 0
  const fail = (message: string) => {
    if (failure !== null) return
    failure = new SandboxError(message)
    channel.kill()
    end.resolve()
    waiting?.fail(failure)
  }
  channel.onData((bytes) => {
    try {
      for (const frame of decode(bytes)) deliver(frame)
    } catch (error) {
      if (!(error instanceof SandboxError)) throw error
      fail(error.message)
    }
  })
  const deliver = (frame: Frame) => {
    // What comes late belongs to nobody any more.
    if (waiting !== null && (frame.header.id ?? 0) === waiting.id) waiting.onFrame(frame)
  }
  channel.onEnd((problem) => fail(problem === '' ? 'The container has ended.' : `The container ended: ${problem}.`))
  return {
    ended: end.promise,
    end: fail,
    lastId: () => lastId,
    send: (request: object, body?: Uint8Array) => channel.write(encodeFrame(request, body)),
    ask({ waitMs, clock, request, body, onFrame, isLast }: Ask): Promise<Frame> {
      const { promise, resolve, reject } = Promise.withResolvers<Frame>()
      if (failure !== null) return Promise.reject(failure)
      const id = request === null ? 0 : ++lastId
      const late = () => fail('The container did not answer in time; it was ended.')
      let stop = clock.after(waitMs, late)
      let mayStart = true
      const done = () => {
        stop()
        waiting = null
      }
      /** Its time begins when the interpreter does; it may say once that it does not run yet. */
      const wait = () => {
        if (!mayStart) return
        mayStart = false
        stop()
        stop = clock.after(waitMs + START_MS, late)
      }
      waiting = {
        id,
        onFrame(frame) {
          if (frame.header.type === 'starting') return wait()
          if (!isLast(frame)) return onFrame?.(frame)
          done()
          resolve(frame)
        },
        fail(error) {
          done()
          reject(error)
        },
      }
      if (request !== null) channel.write(encodeFrame({ ...request, id }, body))
      return promise
    },
  }
}

type Execution = {
  readonly op: 'run' | 'shell'
  readonly text: string
  readonly options: RunOptions
  readonly clock: Clock
  readonly limits: SessionLimits
}

async function runOnce(line: Line, { op, text, options, clock, limits }: Execution): Promise<RunResult> {
  const wallMs = Math.min(options.wallMs ?? limits.wallMs, limits.wallMs)
  let room = limits.outputBytes
  const asked = line.ask({
    waitMs: wallMs + BACKSTOP_MS,
    clock,
    request: { op, wall: wallMs / 1000 },
    body: Buffer.from(text),
    onFrame(frame) {
      const piece = readPieceOfOutput(frame)
      if (piece.type === 'stdout' || piece.type === 'stderr') room -= piece.bytes.byteLength
      if (room >= 0) options.onOutput?.(piece)
    },
    isLast: ({ header }) => header.type === 'end' || header.type === 'failed',
  })
  const id = line.lastId()
  const interrupt = () => line.send({ op: 'interrupt', id })
  if (options.signal.aborted) interrupt()
  options.signal.addEventListener('abort', interrupt, { once: true })
  try {
    return readResult((await asked).header)
  } finally {
    options.signal.removeEventListener('abort', interrupt)
  }
}

function readPieceOfOutput({ header, body }: Frame): OutputPiece {
  if (header.type === 'image') return { type: 'image', bytes: body }
  const command = typeof header.command === 'number' ? header.command : 0
  if (header.type === 'exit') return { type: 'exit', command, code: typeof header.code === 'number' ? header.code : 0 }
  return { type: header.stream === 'stderr' ? 'stderr' : 'stdout', bytes: body, command }
}

function readResult(header: Frame['header']): RunResult {
  const status = RUN_STATUSES.find((known) => known === header.status)
  if (header.type !== 'end' || status === undefined)
    throw new SandboxError(`The code could not be run: ${reasonOf(header)}.`)
  return {
    status,
    exitCode: typeof header.code === 'number' ? header.code : null,
    isCut: header.cut === true,
    isStateLost: header.lost === true,
  }
}

const reasonOf = ({ code }: Frame['header']): string => (typeof code === 'string' ? code.slice(0, 100) : 'it failed')

function readList({ header, body }: Frame): FileList {
  if (header.type !== 'files') throw new SandboxError(`The files cannot be listed: ${reasonOf(header)}.`)
  const entries: unknown = JSON.parse(body.toString('utf8'))
  const files = Array.isArray(entries) ? entries.flatMap((entry) => readFileEntry(entry) ?? []) : []
  return { files, hasMore: header.more === true }
}

/** Names were made by code: what could be taken for another place is left out. */
const PATH = /^(?!\.{0,2}(?:\/|$))(?!.*\/\.{0,2}(?:\/|$))[^\p{C}]{1,512}$/u

export const isFilePath = (path: string): boolean => PATH.test(path)

function readFileEntry(entry: unknown): SandboxFile | null {
  if (!Array.isArray(entry)) return null
  const [path, bytes, version] = entry.map((it: unknown) => it)
  if (typeof path !== 'string' || typeof bytes !== 'number' || typeof version !== 'string') return null
  return isFilePath(path) ? { path, bytes, version } : null
}

function readPiece({ header, body }: Frame): FilePiece | null {
  if (header.type !== 'content' || typeof header.size !== 'number') return null
  return { bytes: body, size: header.size }
}
