/** `antiphon files upload | list | delete`: files of a running server. */
import { resolve } from 'node:path'
import type { FileAdmin, FileEntry } from './app-interface.ts'
import type { Command, CommandInput } from './command.ts'
import { EXIT } from './exit-codes.ts'
import { type Host, line } from './host.ts'
import { createPullProgress } from './pull-progress.ts'
import { KEY_NOTE, reachServer, SERVER_OPTIONS } from './reach-server.ts'
import { dateText, tableText } from './table-text.ts'

const openFiles = async (input: CommandInput, command: Command, host: Host): Promise<FileAdmin> => {
  const { app, config, server } = await reachServer(input, command, host)
  return app.openFiles(config, server)
}

export const filesUpload: Command = {
  name: 'files upload',
  doc: 'Send files to the server; prints their ids.',
  positionals: ['PATH'],
  repeats: true,
  options: { purpose: { value: 'NAME', doc: 'What it is for (user_data).' }, ...SERVER_OPTIONS },
  details: KEY_NOTE,
  async run(input, host) {
    const admin = await openFiles(input, filesUpload, host)
    const progress = createPullProgress(host.stderr, host.now)
    const purpose = input.values.get('purpose') ?? 'user_data'
    // One after the other: what was sent before a failure stays, and its id has been printed.
    for (const path of input.positionals) {
      const onProgress = (done: number, total: number) => progress.show({ file: path, done, total })
      const file = await admin.upload(resolve(host.cwd, path), { purpose, onProgress }).catch((error) => {
        progress.end()
        throw error
      })
      line(host.stdout, input.switches.has('json') ? JSON.stringify(file) : file.id)
    }
    progress.end()
    return EXIT.ok
  },
}

export const filesList: Command = {
  name: 'files list',
  doc: 'List the files of the project, oldest first.',
  positionals: [],
  options: SERVER_OPTIONS,
  details: KEY_NOTE,
  async run(input, host) {
    const admin = await openFiles(input, filesList, host)
    const files: FileEntry[] = []
    for await (const file of admin.list()) files.push(file)
    if (input.switches.has('json')) for (const file of files) line(host.stdout, JSON.stringify(file))
    else if (files.length === 0) line(host.stderr, 'no files')
    else line(host.stdout, tableText(HEAD, files.map(toRow)))
    return EXIT.ok
  },
}

export const filesDelete: Command = {
  name: 'files delete',
  doc: 'Delete a file with its content.',
  positionals: ['ID'],
  options: SERVER_OPTIONS,
  details: KEY_NOTE,
  async run(input, host) {
    const [id = ''] = input.positionals
    const admin = await openFiles(input, filesDelete, host)
    await admin.delete(id)
    line(host.stdout, input.switches.has('json') ? JSON.stringify({ id, deleted: true }) : `deleted ${id}`)
    return EXIT.ok
  },
}

const HEAD = ['ID', 'BYTES', 'PURPOSE', 'MADE', 'EXPIRES', 'NAME']

const toRow = (file: FileEntry): string[] => [
  file.id,
  String(file.bytes),
  file.purpose,
  dateText(file.createdAt),
  file.expiresAt === null ? 'never' : dateText(file.expiresAt),
  file.filename,
]
