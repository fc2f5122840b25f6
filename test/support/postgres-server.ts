/**
 * A PostgreSQL server of our own in a temporary folder, on a free port of loopback; never as root. `ANTIPHON_TEST_PGVECTOR`
 * names a folder in which `build-pgvector.sh` has put its extension.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type PostgresServer = {
  readonly url: string
  /** Cuts every connection and ends the server, as `pg_ctl stop -m fast`, or as a crash. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>
  /** On the same port and data. */
  start(): Promise<void>
  /** Stops it and removes its data. */
  remove(): Promise<void>
}

type User = { readonly uid?: number; readonly gid?: number }
const USER = 'postgres'
const START_TIMEOUT_S = '30'

/** The folder of `initdb` and `pg_ctl`; null where no server is installed. */
export function findPostgres(): string | null {
  return globSync('/usr/lib/postgresql/*/bin').sort().at(-1) ?? null
}

/** Without `fsync` it keeps what it acknowledged also when it crashes, though not when the machine does. */
export async function startPostgres(bin: string, { fsync = false } = {}): Promise<PostgresServer> {
  const user = unprivileged()
  const folder = mkdtempSync(join(tmpdir(), 'antiphon-pg-'))
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  const port = await freePort()
  await run(join(bin, 'initdb'), ['-D', data, '-U', USER, '-A', 'trust', '-E', 'UTF8', '--locale=C'], user)
  const extensions = process.env.ANTIPHON_TEST_PGVECTOR
    ? ` -c extension_destdir=${process.env.ANTIPHON_TEST_PGVECTOR}`
    : ''
  // What is tested is our side, so it usually need not wait for the disk.
  const options = `-c fsync=${fsync ? 'on' : 'off'} -p ${port} -k ${folder} -c listen_addresses=127.0.0.1 -c max_connections=200 -c shared_buffers=64MB${extensions}`
  const start = () =>
    run(
      join(bin, 'pg_ctl'),
      ['-D', data, '-o', options, '-w', '-t', START_TIMEOUT_S, '-l', `${folder}/log`, 'start'],
      user,
    )
  const stop = (mode = 'fast') => run(join(bin, 'pg_ctl'), ['-D', data, '-m', mode, '-w', 'stop'], user)
  await start()
  return {
    url: `postgres://${USER}@127.0.0.1:${port}/postgres`,
    start,
    stop,
    async remove() {
      await stop('immediate').catch(() => {})
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The server refuses to run as root; Debian's package makes a user for it. */
function unprivileged(): User {
  if (process.getuid?.() !== 0) return {}
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((it) => it.startsWith(`${USER}:`))
  const [, , uid, gid] = line?.split(':') ?? []
  if (uid === undefined || gid === undefined) throw new Error(`there is no user '${USER}' to run the server as`)
  return { uid: Number(uid), gid: Number(gid) }
}

async function run(command: string, args: readonly string[], user: User): Promise<void> {
  // Its output goes nowhere: the server itself would keep a pipe open for as long as it runs.
  const child = spawn(command, args, {
    ...user,
    cwd: '/',
    stdio: 'ignore',
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
  })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}`)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
