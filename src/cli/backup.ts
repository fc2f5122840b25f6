/** `antiphon backup FILE`, `restore FILE` and `migrate --to URL`: the data as a whole. */
import { resolve } from 'node:path'
import { CommandError } from './app-interface.ts'
import { CONFIG_OPTIONS, type Command, JSON_OPTION } from './command.ts'
import { EXIT } from './exit-codes.ts'
import { line } from './host.ts'
import { loadConfig } from './load-config.ts'
import { createPullProgress, ROWS } from './pull-progress.ts'
import { tableText } from './table-text.ts'

const MB = 1024 * 1024
const sizeText = (bytes: number) => `${(bytes / MB).toFixed(1)} MB`
const SUM_CHARS = 12

export const backup: Command = {
  name: 'backup',
  doc: 'Copy everything into one file, while a server runs or not.',
  positionals: ['FILE'],
  options: {
    'without-secrets': { doc: 'Leave out the pepper, the sealing keys and the first key.' },
    ...JSON_OPTION,
    ...CONFIG_OPTIONS,
  },
  details:
    'The file holds the database as it was at one moment and, unless told otherwise, the secrets beside it: without\n' +
    'the pepper no API key of the backup works. Keep it like the data directory itself; only its owner can read it. The\n' +
    'bytes of uploaded files are not in it.',
  async run(input, host) {
    const file = resolve(host.cwd, input.positionals[0] ?? '')
    const withSecrets = !input.switches.has('without-secrets')
    const config = await loadConfig(input, backup.options, host)
    const app = await host.loadApp()
    const began = host.now()
    const made = (await app.openBackup(config)).backUp(file, { withSecrets })
    const ms = host.now() - began
    if (input.switches.has('json')) line(host.stdout, JSON.stringify({ file, ...made, ms }))
    else line(host.stdout, `${file}: ${sizeText(made.bytes)}, schema ${made.schema}, in ${ms} ms`)
    if (!withSecrets) line(host.stderr, 'The pepper and the sealing keys are not in it; keep those files as well.')
    return EXIT.ok
  },
}

export const restore: Command = {
  name: 'restore',
  doc: 'Make a new data directory from a backup.',
  positionals: ['FILE'],
  options: { ...JSON_OPTION, ...CONFIG_OPTIONS },
  details: 'The data directory (--data-dir) has to be empty, or not there, and no server may use it.',
  async run(input, host) {
    const file = resolve(host.cwd, input.positionals[0] ?? '')
    const config = await loadConfig(input, restore.options, host)
    const app = await host.loadApp()
    const made = (await app.openBackup(config)).restore(file)
    if (input.switches.has('json')) line(host.stdout, JSON.stringify({ dataDir: config.storage.dataDir, ...made }))
    else line(host.stdout, `${config.storage.dataDir}: ${sizeText(made.bytes)}, schema ${made.schema}`)
    if (made.secrets.length === 0) {
      line(host.stderr, 'The backup holds no secrets: put pepper and sealing-keys there before a server starts.')
    }
    return EXIT.ok
  },
}

export const migrate: Command = {
  name: 'migrate',
  doc: 'Move everything from SQLite to PostgreSQL.',
  positionals: [],
  options: {
    to: { value: 'URL', doc: 'postgres://USER:PASSWORD@HOST:PORT/DATABASE, a database or schema without data.' },
    ...JSON_OPTION,
    ...CONFIG_OPTIONS,
  },
  details:
    'No server may run meanwhile. All of it is moved or nothing, and it is read back and compared before it counts. The\n' +
    'SQLite file stays as it is; start no server on it again. Then set storage.database_url, and start the server.',
  async run(input, host) {
    const url = input.values.get('to')
    if (!/^postgres(ql)?:\/\//.test(url ?? '')) {
      throw new CommandError('--to takes an address as postgres://user:password@host:5432/database', {
        exitCode: EXIT.usage,
      })
    }
    const config = await loadConfig(input, migrate.options, host)
    const app = await host.loadApp()
    const progress = createPullProgress(host.stderr, host.now, ROWS)
    const admin = await app.openBackup(config)
    const moved = await admin
      .moveTo(url ?? '', {
        onProgress: ({ phase, table, ...rest }) => progress.show({ file: `${phase} ${table}`, ...rest }),
      })
      .finally(() => progress.end())
    if (input.switches.has('json')) line(host.stdout, JSON.stringify(moved))
    else {
      const rows = moved.map(({ table, rows, checksum }) => [table, String(rows), checksum.slice(0, SUM_CHARS)])
      line(host.stdout, tableText(['TABLE', 'ROWS', 'CHECKSUM'], rows))
    }
    return EXIT.ok
  },
}
