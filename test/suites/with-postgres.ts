/** Runs a command beside a PostgreSQL server of its own: `with-postgres.ts COMMAND ARGUMENT...`. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { findPostgres, startPostgres } from '../support/postgres-server.ts'

const [command, ...args] = process.argv.slice(2)
const bin = findPostgres()
if (command === undefined || bin === null) {
  console.error(bin === null ? 'no PostgreSQL server is installed' : 'usage: with-postgres.ts COMMAND ARGUMENT...')
  process.exit(2)
}
const server = await startPostgres(bin)
// A signal to the group reaches the command as well; its end is the end of this.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => {})
const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ANTIPHON_TEST_POSTGRES: server.url } })
const [code] = await once(child, 'exit')
await server.remove()
process.exitCode = code ?? 1
