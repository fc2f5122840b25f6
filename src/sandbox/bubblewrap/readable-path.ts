/**
 * Where a file lies that everybody may read. A server that root installed often lies in a folder of root alone, and code runs as
 * nobody: then a copy is made outside of it, by another name for the same file where the disk is the same.
 *
 * One copy for a process; it goes when the process ends. After a kill it stays in the folder for temporary files.
 */
import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'

const MAY_READ = 0o4
const MAY_PASS = 0o1
const EVERYBODY = 0o755

let folder: string | null = null
const copies = new Map<string, string>()

/** `path`: a file, or a folder with all that is in it. `user`: who is to read it; null: the one we are. */
export function readablePath(path: string, user: object | null): string {
  if (user === null || isReadable(path)) return path
  const known = copies.get(path)
  if (known !== undefined) return known
  const copy = join(copyFolder(), `${copies.size}-${basename(path)}`)
  copyTree(realpathSync(path), copy)
  copies.set(path, copy)
  return copy
}

/** By everybody, and so must be what leads to it. */
function isReadable(path: string): boolean {
  const real = realpathSync(path)
  const stat = statSync(real)
  if ((stat.mode & MAY_READ) === 0 || (stat.isDirectory() && (stat.mode & MAY_PASS) === 0)) return false
  for (let at = dirname(real); ; at = dirname(at)) {
    if ((statSync(at).mode & MAY_PASS) === 0) return false
    if (at === dirname(at)) return true
  }
}

function copyFolder(): string {
  if (folder !== null) return folder
  const made = mkdtempSync(join(tmpdir(), 'antiphon-readable-'))
  chmodSync(made, EVERYBODY)
  process.once('exit', () => rmSync(made, { recursive: true, force: true }))
  folder = made
  return made
}

function copyTree(from: string, to: string): void {
  if (!statSync(from).isDirectory()) {
    if (isLinked(from, to)) return
    copyFileSync(from, to)
    chmodSync(to, EVERYBODY)
    return
  }
  mkdirSync(to)
  chmodSync(to, EVERYBODY)
  for (const name of readdirSync(from)) copyTree(join(from, name), join(to, name))
}

/** The mode of a link is that of the file itself, which is not ours to change. */
function isLinked(from: string, to: string): boolean {
  if ((statSync(from).mode & MAY_READ) === 0) return false
  try {
    linkSync(from, to)
    return true
  } catch {
    // It lies on another disk, or on one without such names.
    return false
  }
}
