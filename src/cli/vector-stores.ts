/** `antiphon vector-stores add`: a folder into a vector store of a running server. */
import { basename, resolve } from 'node:path'
import { createAddProgress } from './add-progress.ts'
import { type AddedFile, CommandError, type VectorStoreAdmin } from './app-interface.ts'
import type { Command } from './command.ts'
import { EXIT } from './exit-codes.ts'
import { type Host, line } from './host.ts'
import { type ListedFile, listFolder } from './list-folder.ts'
import { KEY_NOTE, reachServer, SERVER_OPTIONS } from './reach-server.ts'

/** Files that are attached at once, so that they are ingested while the next ones are sent. */
const BATCH_FILES = 50

export const vectorStoresAdd: Command = {
  name: 'vector-stores add',
  doc: 'Put the files of a folder into a vector store, and wait until they can be found.',
  positionals: ['DIR'],
  options: {
    name: { value: 'NAME', doc: 'The name of a new store (the one of the folder).' },
    store: { value: 'ID', doc: 'A store that is there already, instead of a new one.' },
    ...SERVER_OPTIONS,
  },
  details: `Files and folders whose names begin with a dot, and symbolic links, are left out. ${KEY_NOTE}`,
  async run(input, host) {
    const [wanted, given] = [input.values.get('name'), input.values.get('store')]
    if (wanted !== undefined && given !== undefined)
      throw new CommandError('--name is for a new store, --store for one that is there', { exitCode: EXIT.usage })
    const folder = resolve(host.cwd, input.positionals[0] ?? '')
    const files = await listFolder(folder)
    if (files.length === 0) throw new CommandError(`there are no files in ${folder}`)
    const { app, config, server } = await reachServer(input, vectorStoresAdd, host)
    const admin = await app.openVectorStores(config, server)
    if (given !== undefined) await admin.find(given)
    const id = given ?? (await admin.create(wanted ?? basename(folder)))
    const asJson = input.switches.has('json')
    // Before the first file, so that it is known whatever happens next.
    if (!asJson) line(host.stdout, id)
    const { ingested, failures } = await addFiles(admin, id, files, host)
    for (const { name, reason } of failures) line(host.stderr, `${name}: ${reason}`)
    if (asJson) line(host.stdout, JSON.stringify({ id, files: files.length, ingested, failed: failures }))
    else line(host.stderr, `${ingested} of ${files.length} files can be found`)
    return failures.length === 0 ? EXIT.ok : EXIT.failed
  },
}

type Failure = { readonly name: string; readonly reason: string }
type Added = { readonly ingested: number; readonly failures: readonly Failure[] }

async function addFiles(admin: VectorStoreAdmin, id: string, files: readonly ListedFile[], host: Host): Promise<Added> {
  const progress = createAddProgress(host.stderr, host.now)
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  const refused: Failure[] = []
  const batches = createBatches(admin, id)
  let [sentFiles, sentBytes] = [0, 0]
  const show = (ofThis = 0) => {
    const { completed, failed } = batches.counts()
    const sent = { files: files.length, bytes, sentFiles, sentBytes: sentBytes + ofThis }
    progress.show({ ...sent, ingested: completed, failed: failed + refused.length })
  }
  try {
    for (const { path, name, size } of files) {
      const uploaded = await admin.upload(path, (done) => show(Math.min(done, size)))
      if (uploaded.ok) await batches.add({ fileId: uploaded.fileId, path: name })
      else refused.push({ name, reason: uploaded.reason })
      sentFiles += 1
      sentBytes += size
      show()
    }
    for (await batches.flush(); !(await batches.ask()); show()) await admin.pause()
    show()
  } finally {
    progress.end()
  }
  return { ingested: batches.counts().completed, failures: [...refused, ...(await batches.failures())] }
}

type Batch = { readonly id: string; completed: number; failed: number; total: number }

function createBatches(admin: VectorStoreAdmin, storeId: string) {
  const batches: Batch[] = []
  const names = new Map<string, string>()
  let waiting: AddedFile[] = []
  const isDone = ({ completed, failed, total }: Batch) => completed + failed >= total
  const ask = async (): Promise<boolean> => {
    for (const batch of batches) if (!isDone(batch)) Object.assign(batch, await admin.counts(storeId, batch.id))
    return batches.every(isDone)
  }
  const flush = async () => {
    const files = waiting
    waiting = []
    if (files.length === 0) return
    const id = await admin.attach(storeId, files)
    batches.push({ id, completed: 0, failed: 0, total: files.length })
    await ask()
  }
  return {
    ask,
    flush,
    async add(file: AddedFile) {
      names.set(file.fileId, file.path)
      waiting.push(file)
      if (waiting.length >= BATCH_FILES) await flush()
    },
    counts: () => ({
      completed: batches.reduce((sum, { completed }) => sum + completed, 0),
      failed: batches.reduce((sum, { failed }) => sum + failed, 0),
    }),
    async failures(): Promise<Failure[]> {
      const found: Failure[] = []
      for (const { id, failed } of batches) {
        if (failed === 0) continue
        for await (const { fileId, reason } of admin.failures(storeId, id))
          found.push({ name: names.get(fileId) ?? fileId, reason })
      }
      return found
    },
  }
}
