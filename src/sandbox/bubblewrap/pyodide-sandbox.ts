/**
 * Code in a Python made of WebAssembly, for machines without a Python of their own. The wall is bubblewrap, as around every
 * container: nothing that WebAssembly or the language of its host holds back is relied upon.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { type Sandbox, SandboxUnavailable } from '../sandbox.ts'
import { type ContainerHost, sandboxOf } from '../session/sandbox-of-host.ts'
import { type LaunchParts, launchPyodide, launchWallProbes, type PyodideParts } from './launch.ts'
import { readablePath } from './readable-path.ts'
import { type HostOptions, type Kind, testedHost } from './tested-host.ts'

export const createPyodideSandbox = (options: HostOptions): Sandbox =>
  sandboxOf(createPyodideHost(options), options.clock)

const BASH = '/bin/bash'

export function createPyodideHost(options: HostOptions): ContainerHost {
  const kind: Kind = {
    name: 'pyodide',
    traits: { hasProcesses: false, hasPackages: false },
    find() {
      if (!existsSync(BASH)) throw new SandboxUnavailable(`there is no ${BASH}, which limits Python in a container`)
      findPackage()
      return (parts, limits) => launchPyodide(withFiles(parts), limits)
    },
    probesOfWall: (parts, limits, hints) => launchWallProbes(withFiles(parts), limits, hints),
  }
  return testedHost(kind, options)
}

const withFiles = (parts: LaunchParts): PyodideParts => ({
  ...parts,
  node: readablePath(process.execPath, parts.user),
  pyodide: readablePath(findPackage(), parts.user),
})

function findPackage(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve('pyodide/package.json'))
  } catch (error) {
    throw new SandboxUnavailable('the package pyodide is not installed; install Antiphon again', { cause: error })
  }
}
