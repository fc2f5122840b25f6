/** `antiphon pull`: a model from the hub, an address or a path into the folder of models. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { copyFile, mkdir, rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Clock } from '../../../lib/clock.ts'
import { readGgufHeader } from '../gguf-header.ts'
import { modelNameOf } from '../model-files.ts'
import { chooseFiles } from './choose-files.ts'
import { type DownloadTarget, download } from './download.ts'
import type { FetchOptions, HubAccess } from './fetch-step.ts'
import { fileUrl, listHubFiles } from './list-hub-files.ts'
import { fileNameOf, PullFailed, type PullSource, parsePullSource, safeFileName } from './pull-source.ts'

const IDLE_MS = 60_000
const PRIVATE_DIR = 0o700

export type PullOptions = {
  /** The folder of the models; made when it is not there. */
  readonly dir: string
  readonly hub: HubAccess
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly onProgress: (progress: PullProgress) => void
}

export type PullProgress = {
  readonly file: string
  /** Bytes, of this file. */
  readonly done: number
  /** Null: unknown. */
  readonly total: number | null
}

export type Pulled = {
  /** Under which the model is known. */
  readonly name: string
  /** False: it was there already. */
  readonly isNew: boolean
  readonly files: readonly PulledFile[]
}

export type PulledFile = {
  readonly path: string
  /** Bytes. */
  readonly size: number
  readonly sha256: string
  /** The checksum was known and is right; false: nobody publishes one. */
  readonly checked: boolean
}

/** Throws `PullFailed`. */
export async function pullModel(text: string, options: PullOptions): Promise<Pulled> {
  const source = parsePullSource(text)
  await mkdir(options.dir, { recursive: true, mode: PRIVATE_DIR })
  if (source.type === 'file') return copyModel(source.path, options)
  const fetchOptions: FetchOptions = { hub: options.hub, signal: options.signal, idleMs: IDLE_MS }
  const targets = await targetsOf(source, fetchOptions, options.dir).catch(explainNetwork)
  const files: PulledFile[] = []
  let isNew = false
  for (const target of targets) {
    const known = await alreadyThere(target)
    if (known !== null) files.push(known)
    else {
      const onProgress = (done: number, total: number | null) =>
        options.onProgress({ file: basename(target.path), done, total })
      const fetched = await download(target, { ...fetchOptions, clock: options.clock, onProgress })
      files.push({ path: target.path, ...fetched })
      isNew = true
    }
  }
  return { name: nameOf(targets[0]?.path ?? ''), isNew, files }
}

const nameOf = (path: string) => modelNameOf(basename(path)) ?? basename(path)

function explainNetwork(error: unknown): never {
  if (error instanceof PullFailed) throw error
  const reason = error instanceof Error && 'code' in error ? String(error.code) : 'no answer'
  throw new PullFailed(`the hub cannot be reached (${reason})`)
}

type Remote = Exclude<PullSource, { type: 'file' }>

async function targetsOf(source: Remote, options: FetchOptions, dir: string): Promise<readonly DownloadTarget[]> {
  if (source.type === 'url') {
    return [{ url: source.url, path: join(dir, fileNameOf(new URL(source.url))), size: null, sha256: null }]
  }
  const files = chooseFiles(await listHubFiles(source.repo, options), source.choice)
  return files.map(({ path, size, sha256 }) => ({
    url: fileUrl(options.hub.endpoint, source.repo, path),
    path: join(dir, safeFileName(path)),
    size,
    sha256,
  }))
}

/** Null when it is to be fetched. A file of another content under that name is not overwritten. */
async function alreadyThere({ path, size, sha256 }: DownloadTarget): Promise<PulledFile | null> {
  const stats = await stat(path).catch(() => null)
  if (stats === null) return null
  const own = await sha256Of(path)
  if (sha256 === null || own === sha256) return { path, size: stats.size, sha256: own, checked: sha256 !== null }
  throw new PullFailed(`${path} is there already and is another file (${stats.size} bytes, not ${size}); move it away`)
}

async function copyModel(from: string, { dir }: PullOptions): Promise<Pulled> {
  const path = join(dir, safeFileName(from))
  await readGgufHeader(from).catch((error: unknown) => {
    const reason = error instanceof RangeError ? error.message : 'it cannot be read'
    throw new PullFailed(`${from} is no GGUF file: ${reason}`)
  })
  const sha256 = await sha256Of(from)
  const known = await alreadyThere({ url: '', path, size: null, sha256 })
  if (known === null) {
    const part = `${path}.part`
    try {
      await copyFile(from, part)
      await rename(part, path)
    } finally {
      await rm(part, { force: true })
    }
  }
  return {
    name: nameOf(path),
    isNew: known === null,
    files: [{ path, size: (await stat(path)).size, sha256, checked: true }],
  }
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest('hex')
}
