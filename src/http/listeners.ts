/** The sockets that one HTTP server listens on: one, or for `localhost` one for each address it stands for. */

import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Listeners = {
  /** Port 0 takes a free one. Rejects when the first address cannot be had. */
  listen(host: string, port: number): Promise<void>
  /** The first address; null when not listening. */
  address(): AddressInfo | null
  closeIdleConnections(): void
  /** Cuts all connections off, and resolves when nothing listens any more. */
  close(): Promise<void>
}

/**
 * Connections the system keeps until they are accepted; it may take fewer. With Node's 511 a burst of a thousand clients,
 * while the event loop is busy, ends in resets.
 */
const LISTEN_BACKLOG = 4_096

export function createListeners(createServer: () => Server): Listeners {
  const servers: Server[] = []
  const address = () => {
    const bound = servers[0]?.address() ?? null
    return typeof bound === 'string' ? null : bound
  }
  const open = async (host: string, port: number) => {
    const server = createServer()
    server.listen({ host, port, backlog: LISTEN_BACKLOG })
    await once(server, 'listening')
    servers.push(server)
  }
  return {
    async listen(host, port) {
      await open(host, port)
      const others = host === 'localhost' ? await otherAddresses(address()) : []
      // What `localhost` also stands for may be switched off on this machine, or taken: the first address is enough.
      for (const other of others) await open(other.address, other.port).catch(() => {})
    },
    address,
    closeIdleConnections() {
      for (const server of servers) server.closeIdleConnections()
    },
    async close() {
      await Promise.all(servers.splice(0).map(closeServer))
    },
  }
}

async function otherAddresses(first: AddressInfo | null) {
  if (first === null) return []
  const all = await lookup('localhost', { all: true })
  return all.filter(({ address }) => address !== first.address).map(({ address }) => ({ address, port: first.port }))
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
