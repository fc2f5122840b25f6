/** The reference MCP server in a process of its own, over Streamable HTTP or SSE. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { type AddressInfo, createServer } from 'node:net'
import { dirname, join } from 'node:path'

export type EverythingServer = {
  /** `host:port`. */
  readonly host: string
  readonly url: string
  /** Ends the process at once. */
  kill(): Promise<void>
}

const require = createRequire(import.meta.url)
export const EVERYTHING_PATH = join(
  dirname(require.resolve('@modelcontextprotocol/server-everything/package.json')),
  'dist/index.js',
)

/** `port`: of one that ran before. */
export async function startEverything(
  transport: 'streamableHttp' | 'sse' = 'streamableHttp',
  port?: number,
): Promise<EverythingServer> {
  const chosen = port ?? (await freePort())
  const child = spawn(process.execPath, [EVERYTHING_PATH, transport], {
    env: { PATH: process.env.PATH, PORT: String(chosen) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await told(child, 'port')
  const host = `127.0.0.1:${chosen}`
  return {
    host,
    url: `http://${host}/${transport === 'sse' ? 'sse' : 'mcp'}`,
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Resolves when the process has said the word on stderr. */
function told(child: ChildProcess, word: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = ''
    child.stderr?.on('data', (part: Buffer) => {
      said += String(part)
      if (said.includes(word)) resolve()
    })
    child.once('exit', () => reject(new Error(`the MCP server ended: ${said}`)))
  })
}
