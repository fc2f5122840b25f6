/**
 * What the launcher runs: the bundle in `dist` when there is no source (the published package) or when it was made of just
 * the sources that are here; else the sources as they are.
 *
 * Invariant: a checkout never runs a bundle of other sources than its own. Who edits, checks out another branch or deletes
 * a file runs the sources from then on, until `npm run build` or `npm ci`.
 */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** In a bundle: what it was made of. */
const STAMP_FILE = 'sources.sha256'
export const TEST_FILE = /\.(test|contract)\.ts$/

/** The path of the module to start. */
export function findEntry() {
  const source = join(ROOT, 'src', 'main.ts')
  return existsSync(source) && !isBundled() ? source : join(ROOT, 'dist', 'main.js')
}

/** Whether the bundle was made of the sources that are here. */
function isBundled() {
  try {
    return readFileSync(join(ROOT, 'dist', STAMP_FILE), 'utf8') === stampOf(join(ROOT, 'src')).digest
  } catch {
    return false
  }
}

/** The file that says what a bundle was made of: path, size and time of change of each source but the tests. */
export function stampOf(folder) {
  const hash = createHash('sha256')
  for (const path of filesBelow(folder)) {
    const { size, mtimeMs } = statSync(join(folder, path))
    hash.update(`${path}\0${size}\0${mtimeMs}\n`)
  }
  return { name: STAMP_FILE, digest: hash.digest('hex') }
}

/** In a fixed order. By hand: what `readdirSync` does by itself takes ten times as long, and every start waits for it. */
function filesBelow(root, folder = '') {
  const entries = readdirSync(join(root, folder), { withFileTypes: true })
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory()) return filesBelow(root, path)
      return TEST_FILE.test(path) ? [] : [path]
    })
}
