/** Programs too big for `node_modules`, installed once into the user's cache. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const INSTALL_MS = 600_000

export const cacheFolder = (name: string): string => {
  const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'antiphon-ci', name)
  mkdirSync(folder, { recursive: true })
  return folder
}

/** A new empty folder in the cache. Some programs refuse to work below the system's temporary folder. */
export const scratchFolder = (name: string): string => mkdtempSync(join(cacheFolder('runs'), `${name}-`))

/** Installs `package@version` unless it is there. Answers the path of its command. */
export function installCommand(name: string, version: string, command: string): string {
  const prefix = cacheFolder(`${name.replace(/[^a-z0-9]+/g, '-').replace(/^-/, '')}-${version}`)
  const path = join(prefix, 'node_modules', '.bin', command)
  if (existsSync(path)) return path
  const args = ['install', '--prefix', prefix, '--no-audit', '--no-fund', '--no-save', `${name}@${version}`]
  // The whole environment: proxies and certificates of this network are in it.
  execFileSync('npm', args, { env: process.env, stdio: ['ignore', 'ignore', 'inherit'], timeout: INSTALL_MS })
  return path
}
