/**
 * Code in a Python of this machine, behind the namespaces of bubblewrap: without network, environment, capabilities, and
 * with nothing to write to but memory of its own. The first session waits for the self-test.
 */
import { existsSync } from 'node:fs'
import { type Sandbox, SandboxUnavailable } from '../sandbox.ts'
import { type ContainerHost, sandboxOf } from '../session/sandbox-of-host.ts'
import { launch } from './launch.ts'
import { type HostOptions, type Kind, testedHost } from './tested-host.ts'

export type BubblewrapOptions = HostOptions & { readonly python: string }

export const createBubblewrapSandbox = (options: BubblewrapOptions): Sandbox =>
  sandboxOf(createBubblewrapHost(options), options.clock)

export function createBubblewrapHost({ python, ...options }: BubblewrapOptions): ContainerHost {
  const kind: Kind = {
    name: 'bubblewrap',
    traits: { hasProcesses: true, hasPackages: true },
    find() {
      if (!python.startsWith('/usr/'))
        throw new SandboxUnavailable(`the Python at ${python} cannot be seen in a container; name one below /usr`)
      if (!existsSync(python))
        throw new SandboxUnavailable(`there is no Python at ${python}; on Debian and Ubuntu: apt-get install python3`)
      return (parts, limits) => launch({ ...parts, python }, limits)
    },
  }
  return testedHost(kind, options)
}
