/**
 * Finds a Node that can run Antiphon. Plain JavaScript that also runs on Node 20, because the `node` of the machine
 * may be older than the one this project needs and pins as an optional platform package.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const MIN_MAJOR = 24
const MIN_MINOR = 13
export const MIN_NODE = `${MIN_MAJOR}.${MIN_MINOR}`

/** `version`: as `process.version`, for example `v24.21.0`. */
export function isNewEnough(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  return major > MIN_MAJOR || (major === MIN_MAJOR && minor >= MIN_MINOR)
}

/** The path of a Node that is new enough: the running one when it is, else the pinned one; null when there is none. */
export function findNode() {
  return isNewEnough(process.version) ? process.execPath : findPinnedNode()
}

function findPinnedNode() {
  const platform = process.platform === 'win32' ? 'win' : process.platform
  try {
    const manifest = createRequire(import.meta.url).resolve(`node-${platform}-${process.arch}/package.json`)
    const path = join(dirname(manifest), 'bin', platform === 'win' ? 'node.exe' : 'node')
    return existsSync(path) ? path : null
  } catch {
    return null
  }
}

/** What to tell a person when `findNode` found none. */
export const noNodeMessage =
  `antiphon needs Node ${MIN_NODE} or newer, and this is ${process.version}. ` +
  `No runtime is packaged for ${process.platform}-${process.arch}, or it was left out at install: ` +
  'install a newer Node, or install again without --omit=optional.'
