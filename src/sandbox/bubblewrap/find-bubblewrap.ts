/** The program that makes containers, who runs it, and what to do where it does not run. */
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { SandboxUnavailable } from '../sandbox.ts'

/** Who runs it when we are root: limits count for others only. */
const NOBODY = { uid: 65_534, gid: 65_534 }

export type FoundBubblewrap = {
  readonly bubblewrap: string
  /** The user to become first; null: the one we are. */
  readonly user: { readonly uid: number; readonly gid: number } | null
}

export const BUBBLEWRAP_ADVICE =
  'bubblewrap needs user namespaces that are allowed to everybody: see docs/code-interpreter.md for containers and ' +
  'AppArmor'

/** `given`: null for the one that is found in PATH. Throws `SandboxUnavailable`. */
export function findBubblewrap(given: string | null, elsewhere: string): FoundBubblewrap {
  if (process.platform !== 'linux') throw new SandboxUnavailable(`bubblewrap is a program of Linux${elsewhere}`)
  const bubblewrap = given ?? findProgram('bwrap')
  if (bubblewrap === null || !existsSync(bubblewrap))
    throw new SandboxUnavailable('bubblewrap is not installed; on Debian and Ubuntu: apt-get install bubblewrap')
  return { bubblewrap, user: process.getuid?.() === 0 ? NOBODY : null }
}

function findProgram(name: string): string | null {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name)
    if (folder !== '' && isExecutable(path)) return path
  }
  return null
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
