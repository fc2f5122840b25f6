/** `antiphon vector-stores add` against a running server. */
import assert from 'node:assert/strict'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { PROVIDER_CATALOG } from '../../src/app/built-in-providers.ts'
import type { Host } from '../../src/cli/host.ts'
import { runCli } from '../../src/cli/run-cli.ts'
import { send } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let folder = ''
before(async () => {
  server = await startServer({ config: 'limits: { file: 1MB }\n' })
  folder = join(server.dataDir, 'birds')
  await mkdir(join(folder, 'north', '.git'), { recursive: true })
  await writeFile(join(folder, 'heron.txt'), 'The heron nests in March.')
  await writeFile(join(folder, 'north', 'auk.md'), '# Auk\nThe auk dives for capelin.')
  await writeFile(join(folder, 'north', '.git', 'secret.txt'), 'hidden capelin')
  await symlink('/etc/hostname', join(folder, 'elsewhere.txt'))
})
after(() => server.close())

async function run(...args: string[]) {
  const written = { out: '', err: '' }
  const host: Host = {
    env: { ANTIPHON_API_KEY: server.apiKey },
    cwd: server.dataDir,
    home: server.dataDir,
    version: '0',
    stdout: { write: (text) => (written.out += text), isTerminal: false },
    stderr: { write: (text) => (written.err += text), isTerminal: true },
    providers: PROVIDER_CATALOG,
    now: () => Date.now(),
    loadApp: () => import('../../src/app.ts'),
    waitForStop: () => Promise.resolve(),
    limitShutdown() {},
  }
  return { code: await runCli(['vector-stores', 'add', ...args, '--url', server.url], host), ...written }
}

const search = async (id: string, body: Record<string, unknown>) => {
  const { json } = await send(server, 'POST', `/v1/vector_stores/${id}/search`, body)
  return JSON.stringify(json.data)
}

test('a folder becomes a store with a bar, and all of it can be found when the command ends', async () => {
  const { code, out, err } = await run('birds')
  assert.equal(code, 0, err)
  const id = out.trim()
  assert.match(err, /\[#{24}\] 100% {2}2\/2 files, 0\.0\/0\.0 MB sent, 2 ingested\n/)
  assert.match(err, /2 of 2 files can be found/)
  const store = await send(server, 'GET', `/v1/vector_stores/${id}`)
  assert.equal(store.json.name, 'birds')
  assert.match(await search(id, { query: 'heron' }), /nests in March/)
  const north = { type: 'eq', key: 'path', value: 'north/auk.md' }
  assert.match(await search(id, { query: 'capelin', filters: north }), /auk dives/)
  assert.doesNotMatch(await search(id, { query: 'capelin' }), /hidden/)
})

test('a store that is there takes more files, and one bad file does not keep out the others', async () => {
  const { json } = await send(server, 'POST', '/v1/vector_stores', { name: 'given' })
  const id = String(json.id)
  const mixed = join(server.dataDir, 'mixed')
  await mkdir(mixed)
  await writeFile(join(mixed, 'a.bin'), Buffer.from([0, 1, 2, 255, 254, 0, 0, 7]))
  await writeFile(join(mixed, 'b.txt'), 'The last stork left.')
  await writeFile(join(mixed, 'c-large.txt'), Buffer.alloc(3_000_000, 'x'))
  const added = await run('mixed', '--store', id, '--json')
  assert.equal(added.code, 1, added.err)
  const told = JSON.parse(added.out)
  assert.deepEqual([told.id, told.files, told.ingested], [id, 3, 1])
  assert.deepEqual(told.failed.map(({ name }: { name: string }) => name).sort(), ['a.bin', 'c-large.txt'])
  assert.match(added.err, /c-large\.txt: .*larger than/)
  assert.match(await search(id, { query: 'stork' }), /last stork/)
})

test('what cannot be done is said before anything is sent', async () => {
  await mkdir(join(server.dataDir, 'empty'))
  assert.match((await run('empty')).err, /there are no files in/)
  assert.match((await run('not-there')).err, /cannot read the folder .*not-there \(ENOENT\)/)
  assert.equal((await run('birds', '--name', 'a', '--store', 'b')).code, 2)
  const unknown = await run('birds', '--store', 'vs_none')
  assert.deepEqual([unknown.code, unknown.out], [1, ''])
  assert.match(unknown.err, /vs_none/)
  const files = await send(server, 'GET', '/v1/files?limit=1000')
  assert.ok(Array.isArray(files.json.data))
})
