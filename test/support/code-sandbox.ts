/** Whether this machine can run code in bubblewrap; a test that cannot says why. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const PYTHON = '/usr/bin/python3'
const PACKAGES = ['numpy', 'pandas', 'matplotlib']

const inPath = (name: string) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, name)))

function findMissing(): string | false {
  if (process.platform !== 'linux') return 'bubblewrap is a program of Linux'
  if (!inPath('bwrap')) return 'bubblewrap is not installed'
  const namespaces = spawnSync('bwrap', ['--unshare-all', '--ro-bind', '/', '/', 'true'], { encoding: 'utf8' })
  return namespaces.status === 0 ? false : `bubblewrap does not run here: ${namespaces.stderr.trim()}`
}

/** False, or the reason to skip. */
export const NO_BUBBLEWRAP: string | false = findMissing()
export const NO_SANDBOX: string | false =
  NO_BUBBLEWRAP !== false || existsSync(PYTHON) ? NO_BUBBLEWRAP : `there is no ${PYTHON}`

function findMissingPackages(): string | false {
  if (NO_SANDBOX !== false) return NO_SANDBOX
  const missing = PACKAGES.filter((name) => spawnSync(PYTHON, ['-c', `import ${name}`]).status !== 0)
  return missing.length > 0 && `${PYTHON} lacks ${missing.join(', ')}`
}

export const NO_PLOTS: string | false = findMissingPackages()

/** Processes of containers on this machine that were started by this one. */
export const containerProcesses = (): number =>
  execFileSync('ps', ['-eo', 'ppid,comm'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.trim().startsWith(`${process.pid} `) && line.includes('bwrap')).length

export const MB = 1024 * 1024
