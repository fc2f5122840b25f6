/**
 * The keys of what clients carry for the server: reasoning state and compactions. They lie in a file of the data
 * directory, newest first, one `<id> <hex>` a line. The newest seals; the older ones stay, because what they sealed is
 * in stored conversations and in clients' hands.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SealingKey } from '../lib/sealed-box.ts'
import { hasCode, makeOnce, OWNER_ONLY_FILE, OWNER_ONLY_FOLDER, readIfThere } from './secret-files.ts'

/** The oldest key leaves when one more is made; what it sealed cannot be opened any more. */
export const MAX_SEALING_KEYS = 32
const SECRET_BYTES = 32
const ID_BYTES = 4
const LINE = /^([0-9a-f]{8}) ([0-9a-f]{64})$/

export const sealingKeysFileOf = (dataDir: string) => join(dataDir, 'sealing-keys')

/**
 * Reads the keys, or makes the first one. Safe to call from two processes at once. Throws when the file is damaged,
 * because new keys would silently end every conversation that carries sealed content.
 */
export function loadSealingKeys(dataDir: string): readonly SealingKey[] {
  mkdirSync(dataDir, { recursive: true, mode: OWNER_ONLY_FOLDER })
  const path = sealingKeysFileOf(dataDir)
  return parseKeys(readIfThere(path) ?? makeOnce(path, lineOf(newKey())), path)
}

export type RotatedKeys = { readonly id: string; readonly kept: number; readonly dropped: number }

/** Puts a new key before the others. Servers that run use it from their next start on. */
export function rotateSealingKeys(dataDir: string): RotatedKeys {
  const path = sealingKeysFileOf(dataDir)
  const old = loadSealingKeys(dataDir)
  const key = newKey()
  const keys = [key, ...old].slice(0, MAX_SEALING_KEYS)
  replaceFile(path, keys.map(lineOf).join('\n'))
  return { id: key.id, kept: keys.length - 1, dropped: old.length + 1 - keys.length }
}

const newKey = (): SealingKey => ({ id: randomBytes(ID_BYTES).toString('hex'), secret: randomBytes(SECRET_BYTES) })

const lineOf = ({ id, secret }: SealingKey) => `${id} ${Buffer.from(secret).toString('hex')}`

function parseKeys(text: string, path: string): readonly SealingKey[] {
  return text.split('\n').map((line) => {
    const [, id, secret] = LINE.exec(line) ?? []
    if (id && secret) return { id, secret: Buffer.from(secret, 'hex') }
    throw new Error(`${path} is damaged: each line should be a key's id and 64 hex digits. Restore it from a backup.`)
  })
}

/** A reader sees the old file or the new one. The draft has one name, so that of two rotations at once one fails. */
function replaceFile(path: string, text: string): void {
  const draft = `${path}.new`
  try {
    writeFileSync(draft, `${text}\n`, { mode: OWNER_ONLY_FILE, flag: 'wx', flush: true })
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
    throw new Error(`${draft} is there: the keys are being rotated by another process, or one was cut off. Remove it.`)
  }
  try {
    renameSync(draft, path)
  } catch (error) {
    unlinkSync(draft)
    throw error
  }
}
