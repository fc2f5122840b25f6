/** A Redis or Valkey server of this machine, on a free port, for as long as a test runs. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'

export type RedisServer = { readonly url: string; stop(): Promise<void>; start(): Promise<void> }

const PROGRAM = ['redis-server', 'valkey-server'].find((name) => spawnSync(name, ['--version']).status === 0)

/** Why there is none; false when there is one. */
export const noRedis = PROGRAM === undefined ? 'because neither redis-server nor valkey-server is installed' : false

export async function startRedis(): Promise<RedisServer> {
  const port = await freePort()
  let child: ChildProcess | null = null
  const stop = async () => {
    if (child === null) return
    const [ended] = [once(child, 'exit'), child.kill('SIGKILL')]
    child = null
    await ended
  }
  const start = async () => {
    const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
    child = spawn(PROGRAM ?? '', options, { stdio: ['ignore', 'pipe', 'inherit'] })
    for await (const chunk of child.stdout ?? []) if (String(chunk).includes('Ready to accept connections')) break
  }
  await start()
  return { url: `redis://127.0.0.1:${port}`, start, stop }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
