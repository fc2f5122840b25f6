/** Picks the port before anything is opened, so that a busy one costs no start. */
import { createServer } from 'node:net'
import { CommandError } from './app-interface.ts'

/** How far to look beyond the default port. */
const MAX_TRIES = 20

export type PortWish = {
  readonly host: string
  readonly port: number
  /** Nobody asked for this port, so another one will do. */
  readonly isDefault: boolean
}

/** The wished port, or the next free one after the default. Throws `CommandError` when there is none. */
export async function choosePort({ host, port, isDefault }: PortWish): Promise<number> {
  if (port === 0) return 0
  const last = isDefault ? port + MAX_TRIES : port
  for (let candidate = port; candidate <= last; candidate += 1) {
    if (await isFree(host, candidate)) return candidate
  }
  if (isDefault)
    throw new CommandError(`the ports ${port} to ${last} of ${host} are all in use; choose one with --port`)
  throw new CommandError(portInUse(host, port))
}

export const portInUse = (host: string, port: number) =>
  `the port ${port} of ${host} is in use; stop what uses it, or choose another with --port`

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') return resolve(false)
      reject(new CommandError(cannotListen(host, port, error.code), { cause: error }))
    })
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(true)))
  })
}

function cannotListen(host: string, port: number, code: string | undefined): string {
  if (code === 'EACCES') return `not allowed to listen on port ${port}; choose one above 1023 with --port`
  if (code === 'EADDRNOTAVAIL') return `${host} is no address of this computer; choose another with --host`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `the host name ${host} is not known; choose another with --host`
  return `cannot listen on ${host}:${port} (${code ?? 'unknown reason'})`
}
