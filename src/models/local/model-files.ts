/** The GGUF files of a folder, as models with names. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type GgufHeader, readGgufHeader } from './gguf-header.ts'

export type ModelFile = {
  /** The file's name without its ending, and without the number of its first part. */
  readonly name: string
  readonly path: string
  /** Seconds since the epoch, when it was written. */
  readonly created: number
  readonly header: GgufHeader
}

const MAX_FILES = 1000
const PART = /-(\d{5})-of-\d{5}$/

/** What is no GGUF file, or cannot be read, is left out; a folder that is not there holds none. */
export async function listModelFiles(dir: string): Promise<readonly ModelFile[]> {
  const names = await readdir(dir).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  })
  const wanted = names.filter((name) => modelNameOf(name) !== null).sort()
  const files = await Promise.all(wanted.slice(0, MAX_FILES).map((name) => readModelFile(dir, name)))
  return files.filter((file) => file !== null)
}

/** Null for what is no model, and for every part of a split one but the first. */
export function modelNameOf(fileName: string): string | null {
  if (!fileName.endsWith('.gguf') || fileName.startsWith('.')) return null
  const stem = fileName.slice(0, -'.gguf'.length)
  const part = PART.exec(stem)?.[1]
  if (part === undefined) return stem
  return part === '00001' ? stem.replace(PART, '') : null
}

/** The header is read again only when the file has changed. */
const known = new Map<string, { readonly version: string; readonly file: ModelFile | null }>()

async function readModelFile(dir: string, fileName: string): Promise<ModelFile | null> {
  const path = join(dir, fileName)
  const stats = await stat(path).catch(() => null)
  if (stats === null || !stats.isFile()) return null
  const version = `${stats.size}:${stats.mtimeMs}`
  const before = known.get(path)
  if (before?.version === version) return before.file
  const header = await readGgufHeader(path).catch(() => null)
  const created = Math.floor(stats.mtimeMs / 1000)
  const file = header === null ? null : { name: modelNameOf(fileName) ?? fileName, path, created, header }
  if (known.size >= MAX_FILES) known.clear()
  known.set(path, { version, file })
  return file
}
