/**
 * One file to disk. It grows beside its place as `NAME.part`, is checked as a whole, and only then moved: under its own
 * name there is never half a file.
 *
 * A part that was left behind is taken up again when the server still has the same file, which `NAME.part.json` tells;
 * its bytes are read once more for the checksum. Every loss of the connection is such a resumption.
 */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { type Clock, sleep } from '../../../lib/clock.ts'
import { GGUF_MAGIC } from '../gguf-header.ts'
import { type Fetched, type FetchOptions, fetchStep } from './fetch-step.ts'
import { PullFailed } from './pull-source.ts'

/** Losses in a row without a byte between them. */
const MAX_LOSSES = 5
const FIRST_PAUSE_MS = 1000
/** Kept free on the disk. */
const SPARE_BYTES = 64 * 1024 * 1024

export type DownloadTarget = {
  readonly url: string
  /** Where the file shall be. */
  readonly path: string
  /** Bytes; null where nobody said. */
  readonly size: number | null
  /** Null where nobody said; then what the server says on the way counts. */
  readonly sha256: string | null
}

export type DownloadOptions = FetchOptions & {
  readonly clock: Clock
  /** Bytes that are there, bytes there will be (null: unknown). */
  readonly onProgress: (done: number, total: number | null) => void
}

export type Downloaded = { readonly size: number; readonly sha256: string; readonly checked: boolean }

/** Throws `PullFailed`; a part that may be continued stays. */
export async function download(target: DownloadTarget, options: DownloadOptions): Promise<Downloaded> {
  const part = `${target.path}.part`
  await using file = await openPart(part)
  const state = await resume(file, part, target)
  for (let losses = 0; ; ) {
    const before = state.done
    const ended = await transfer(file, state, target, options)
    if (ended === null) break
    if (options.signal.aborted) throw new PullFailed('stopped; run the same command to go on')
    losses = state.done > before ? 1 : losses + 1
    if (losses > MAX_LOSSES) throw lost(ended)
    await sleep(options.clock, FIRST_PAUSE_MS * 2 ** (losses - 1), options.signal)
  }
  await file.sync()
  return settle(state, part, target)
}

type State = {
  done: number
  hash: Hash
  total: number | null
  sha256: string | null
  /** What tells this version of the file from others. */
  etag: string | null
}

type Note = { readonly etag: string | null; readonly sha256: string | null }

const openPart = (part: string): Promise<FileHandle> =>
  open(part, 'a+').catch((error: unknown) => {
    throw new PullFailed(`cannot write ${part} (${codeOf(error)})`)
  })

async function resume(file: FileHandle, part: string, target: DownloadTarget): Promise<State> {
  const state: State = { done: 0, hash: createHash('sha256'), total: target.size, sha256: target.sha256, etag: null }
  const { size } = await file.stat()
  const note = size === 0 ? null : await readNote(part)
  const isSame = note !== null && (target.sha256 === null ? note.etag !== null : note.sha256 === target.sha256)
  if (!isSame || (target.size !== null && size > target.size)) {
    await file.truncate(0)
    return state
  }
  for await (const chunk of createReadStream(part)) state.hash.update(chunk)
  return { ...state, done: size, etag: note.etag, sha256: target.sha256 ?? note.sha256 }
}

async function readNote(part: string): Promise<Note | null> {
  try {
    const note: unknown = JSON.parse(await readFile(`${part}.json`, 'utf8'))
    if (typeof note !== 'object' || note === null) return null
    const text = (value: unknown) => (typeof value === 'string' ? value : null)
    return { etag: 'etag' in note ? text(note.etag) : null, sha256: 'sha256' in note ? text(note.sha256) : null }
  } catch {
    return null
  }
}

/** One connection. Null when the file is whole, else how the connection was lost. Throws what cannot be mended. */
async function transfer(
  file: FileHandle,
  state: State,
  target: DownloadTarget,
  options: DownloadOptions,
): Promise<Error | null> {
  if (state.total !== null && state.done === state.total) return null
  const range: Record<string, string> =
    state.done === 0 ? {} : { range: `bytes=${state.done}-`, ...(state.etag !== null && { 'if-range': state.etag }) }
  try {
    const reply = await fetchStep(target.url, { ...options, headers: { ...options.headers, ...range } })
    if (!(await accept(reply, file, state, target))) {
      await reply.body.dump()
      return new Error(`the server answered ${reply.status}`)
    }
    for await (const chunk of reply.body) await take(Buffer.from(chunk), file, state, options)
    if (state.total === null || state.done === state.total) return null
    return new Error(`the connection ended at ${state.done} of ${state.total} bytes`)
  } catch (error) {
    if (error instanceof PullFailed) throw error
    if (codeOf(error) === 'ENOSPC') throw new PullFailed('the disk is full')
    return error instanceof Error ? error : new Error(String(error))
  }
}

/** Whether the body is what is wanted. False: another try may help. */
async function accept(reply: Fetched, file: FileHandle, state: State, target: DownloadTarget): Promise<boolean> {
  const { status } = reply
  if (status === 429 || status >= 500) return false
  if (status === 416) {
    // What is here is longer than what is there.
    await restart(file, state, target)
    return false
  }
  if (status !== 200 && status !== 206) throw refused(status)
  if (status === 206 && startOfRange(reply) !== state.done) {
    await restart(file, state, target)
    return false
  }
  if (status === 200 && state.done > 0) await restart(file, state, target)
  noteSize(reply, state)
  if (reply.linkedSha256 !== null && state.sha256 !== null && reply.linkedSha256 !== state.sha256) {
    throw new PullFailed('the file has changed on the server since it was listed; run the command again')
  }
  state.sha256 ??= reply.linkedSha256
  const etag = reply.header('etag')
  state.etag = etag?.startsWith('W/') ? null : etag
  await writeFile(`${target.path}.part.json`, JSON.stringify({ etag: state.etag, sha256: state.sha256 }))
  await checkSpace(target.path, state)
  return true
}

async function restart(file: FileHandle, state: State, target: DownloadTarget): Promise<void> {
  await file.truncate(0)
  state.done = 0
  state.hash = createHash('sha256')
  state.total = target.size
}

/** All that say how long the file is must say the same. */
function noteSize(reply: Fetched, state: State): void {
  const length = /^\d+$/.exec(reply.header('content-length') ?? '')?.[0]
  const whole = /\/(\d+)$/.exec(reply.header('content-range') ?? '')?.[1]
  const said = [
    length === undefined ? null : Number(length) + state.done,
    whole === undefined ? null : Number(whole),
    reply.linkedSize,
  ]
  for (const total of said) {
    if (total === null) continue
    if (state.total !== null && state.total !== total) {
      throw new PullFailed(`the server says that the file has ${total} bytes; it should have ${state.total}`)
    }
    state.total = total
  }
}

const startOfRange = (reply: Fetched): number | null => {
  const start = /^bytes (\d+)-/.exec(reply.header('content-range') ?? '')?.[1]
  return start === undefined ? null : Number(start)
}

async function checkSpace(path: string, { done, total }: State): Promise<void> {
  if (total === null) return
  const { bavail, bsize } = await statfs(dirname(path))
  const free = bavail * bsize
  const needed = total - done + SPARE_BYTES
  if (needed > free) throw new PullFailed(`the disk has ${toMb(free)} MB free; the file needs ${toMb(needed)} MB`)
}

async function take(chunk: Buffer, file: FileHandle, state: State, options: DownloadOptions): Promise<void> {
  if (state.total !== null && state.done + chunk.length > state.total) {
    throw new PullFailed(`the server sent more than the ${state.total} bytes it announced`)
  }
  await file.writeFile(chunk)
  state.hash.update(chunk)
  state.done += chunk.length
  options.onProgress(state.done, state.total)
}

/** What is wrong is thrown away: nothing can be built on it. */
async function settle(state: State, part: string, target: DownloadTarget): Promise<Downloaded> {
  const sha256 = state.hash.digest('hex')
  const discard = () => Promise.all([rm(part, { force: true }), rm(`${part}.json`, { force: true })])
  if ((await stat(part)).size !== state.done) {
    await discard()
    throw new PullFailed('something else has written to the same file; it was deleted, run the command again')
  }
  if (state.sha256 !== null && sha256 !== state.sha256) {
    await discard()
    throw new PullFailed(
      `the checksum is wrong: sha256 ${sha256} instead of ${state.sha256}; the file was deleted, run the command again`,
    )
  }
  if (!(await beginsAsGguf(part))) {
    await discard()
    throw new PullFailed(`${basename(target.path)} is no GGUF file; it was deleted`)
  }
  await rename(part, target.path)
  await rm(`${part}.json`, { force: true })
  return { size: (await stat(target.path)).size, sha256, checked: state.sha256 !== null }
}

async function beginsAsGguf(path: string): Promise<boolean> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(GGUF_MAGIC.length))
    return bytesRead === GGUF_MAGIC.length && buffer.toString('latin1') === GGUF_MAGIC
  } finally {
    await file.close()
  }
}

function refused(status: number): PullFailed {
  if (status === 401 || status === 403)
    return new PullFailed(`the server refused it (${status}); set HF_TOKEN when the repository is private or gated`)
  return new PullFailed(status === 404 ? 'there is no such file' : `the server answered ${status}`)
}

const lost = (cause: Error) =>
  new PullFailed(`the connection was lost again and again (${cause.message}); run the same command to go on`)

export const toMb = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1)

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : error instanceof Error ? error.name : 'unknown'
