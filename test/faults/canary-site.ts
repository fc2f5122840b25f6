/** What must never be reached, where the hostile URLs lead: on the usual ports where the system lets us, else on others. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Canary = {
  /** Connections, whatever came on them. */
  readonly hits: number
  /** Addresses it listens on. */
  readonly places: readonly string[]
  close(): Promise<void>
}

const WANTED = [
  { host: '127.0.0.1', port: 80 },
  { host: '127.0.0.1', port: 443 },
  { host: '::1', port: 80 },
  { host: '::1', port: 443 },
]

export async function startCanary(): Promise<Canary> {
  let hits = 0
  const open = await Promise.all(
    WANTED.map(async ({ host, port }) => {
      const server = createServer((_request, reply) => reply.end('secret'))
      server.on('connection', () => {
        hits += 1
      })
      return (await listens(server, host, port)) || (await listens(server, host, 0)) ? server : null
    }),
  )
  const servers = open.filter((server) => server !== null)
  return {
    get hits() {
      return hits
    },
    places: servers.map((server) => {
      const { address, port } = server.address() as AddressInfo
      return `${address}:${port}`
    }),
    async close() {
      for (const server of servers) server.closeAllConnections()
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
    },
  }
}

const listens = (server: Server, host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const onError = () => resolve(false)
    server.once('error', onError)
    server.listen(port, host, () => {
      server.off('error', onError)
      resolve(true)
    })
  })
