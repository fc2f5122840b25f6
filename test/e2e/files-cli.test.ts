/** `antiphon files` against a running server. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { PROVIDER_CATALOG } from '../../src/app/built-in-providers.ts'
import type { Host } from '../../src/cli/host.ts'
import { runCli } from '../../src/cli/run-cli.ts'
import { send } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
before(async () => {
  server = await startServer({ config: 'limits: { file: 1MB }\n' })
})
after(() => server.close())

async function run(args: readonly string[], change: Partial<Host> = {}) {
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
    ...change,
  }
  return { code: await runCli([...args, '--url', server.url], host), ...written }
}

test('files are sent with a bar, listed and deleted', async () => {
  const names = ['plain.txt', 'naïve "☃" %22.md', 'empty.bin']
  const contents = [Buffer.alloc(700_000, 'x'), Buffer.from('# ☃'), Buffer.alloc(0)]
  for (const [at, name] of names.entries()) await writeFile(join(server.dataDir, name), contents[at] ?? '')
  const sent = await run(['files', 'upload', ...names])
  assert.equal(sent.code, 0, sent.err)
  const ids = sent.out.trim().split('\n')
  assert.equal(ids.length, 3)
  assert.match(sent.err, /plain\.txt {2}\[#{24}\] 100%/)
  for (const [at, id] of ids.entries()) {
    const file = await send(server, 'GET', `/v1/files/${id}`)
    assert.deepEqual([file.json.filename, file.json.bytes], [names[at], contents[at]?.length])
    assert.equal((await send(server, 'GET', `/v1/files/${id}/content`)).text, contents[at]?.toString())
  }
  const listed = await run(['files', 'list'])
  assert.match(listed.out, /^ID +BYTES +PURPOSE +MADE +EXPIRES +NAME\n/)
  assert.deepEqual(
    listed.out
      .trim()
      .split('\n')
      .slice(1)
      .map((row) => row.split(/ +/)[0]),
    ids,
  )
  const asJson = await run(['files', 'list', '--json'])
  assert.equal(JSON.parse(asJson.out.split('\n')[1] ?? '').filename, names[1])
  for (const id of ids) assert.equal((await run(['files', 'delete', id])).out, `deleted ${id}\n`)
  assert.match((await run(['files', 'list'])).err, /no files/)
})

test('what the server refuses is told in its words', async () => {
  await writeFile(join(server.dataDir, 'large.bin'), Buffer.alloc(3_000_000))
  const large = await run(['files', 'upload', 'large.bin'])
  assert.deepEqual([large.code, /larger than 1048576 bytes/.test(large.err)], [1, true], large.err)
  const wrong = await run(['files', 'upload', 'large.bin', '--purpose', 'nonsense'])
  assert.match(wrong.err, /Invalid value: 'nonsense'|larger than/)
  assert.match((await run(['files', 'delete', 'file-none'])).err, /No such File object: file-none/)
  assert.match((await run(['files', 'upload', 'not-there.txt'])).err, /cannot read .*not-there\.txt \(ENOENT\)/)
  assert.match((await run(['files', 'list'], { env: { ANTIPHON_API_KEY: 'sk-wrong' } })).err, /Incorrect API key/)
  assert.equal((await run(['files', 'upload'])).code, 2)
})
