/** The two secrets in the data directory: the pepper of all digests, and the first key for local tools. */
import { randomBytes } from 'node:crypto'
import { chmodSync, linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PEPPER_BYTES } from './api-keys.ts'

export const OWNER_ONLY_FILE = 0o600
export const OWNER_ONLY_FOLDER = 0o700

export const keyFileOf = (dataDir: string) => join(dataDir, 'api-key')
export const pepperFileOf = (dataDir: string) => join(dataDir, 'pepper')

/**
 * Reads the pepper, or makes it on the first start. Safe to call from two processes at once: only one makes it.
 * Throws when the file is damaged, because a new pepper would silently end every key.
 */
export function loadPepper(dataDir: string): Buffer {
  mkdirSync(dataDir, { recursive: true, mode: OWNER_ONLY_FOLDER })
  const path = pepperFileOf(dataDir)
  const text = readIfThere(path) ?? makeOnce(path, randomBytes(PEPPER_BYTES).toString('hex'))
  const pepper = Buffer.from(text, 'hex')
  if (pepper.length === PEPPER_BYTES) return pepper
  throw new Error(`${path} is damaged: it should hold ${PEPPER_BYTES} bytes in hex. Restore it from a backup.`)
}

/** Written aside and then linked, so that no other process ever reads half of it; the first link wins. */
export function makeOnce(path: string, text: string): string {
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  writeFileSync(draft, `${text}\n`, { mode: OWNER_ONLY_FILE, flush: true })
  try {
    linkSync(draft, path)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  } finally {
    unlinkSync(draft)
  }
  return readFileSync(path, 'utf8').trim()
}

/** Keeps the first key for tools on this computer. Replaces what another first start left. */
export function saveFirstKey(dataDir: string, key: string): void {
  const path = keyFileOf(dataDir)
  writeFileSync(path, `${key}\n`, { mode: OWNER_ONLY_FILE })
  // `mode` counts only for a new file.
  chmodSync(path, OWNER_ONLY_FILE)
}

/** Null when there is no such file. */
export const readFirstKey = (dataDir: string): string | null => readIfThere(keyFileOf(dataDir)) || null

/** Without the white space around it; null when there is no such file. */
export function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}

export const hasCode = (error: unknown, code: string) =>
  error instanceof Error && 'code' in error && error.code === code
