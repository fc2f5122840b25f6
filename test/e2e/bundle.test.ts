/** The bundle of `npm run build`, installed as a package is: the program, and what it starts by its file. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import OpenAI, { toFile } from 'openai'
import { type StartedServer, startAntiphon } from '../suites/start-antiphon.ts'
import { NO_SANDBOX } from '../support/code-sandbox.ts'
import { makePdf } from '../support/pdf.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PACKAGES = join(ROOT, 'node_modules', '.cache')
const POLL = { pollIntervalMs: 50 }

describe('the bundle', () => {
  let folder: string
  let server: StartedServer
  let client: OpenAI
  before(async () => {
    mkdirSync(PACKAGES, { recursive: true })
    folder = mkdtempSync(join(PACKAGES, 'antiphon-'))
    for (const name of ['bin', 'package.json']) cpSync(join(ROOT, name), join(folder, name), { recursive: true })
    execFileSync(process.execPath, [join(ROOT, 'scripts', 'run.js'), 'build', `--out=${join(folder, 'dist')}`])
    server = await startAntiphon({ root: folder })
    client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.key, maxRetries: 0 })
  })
  after(async () => {
    await server?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  test('it has no source beside it, and answers with its version', async () => {
    assert.ok(!existsSync(join(folder, 'src')))
    const response = await client.responses.create({ model: 'demo', input: 'Hello' })
    assert.equal(response.status, 'completed')
    const launcher = join(folder, 'bin', 'antiphon.js')
    const version = execFileSync(process.execPath, [launcher, '--version'], { encoding: 'utf8' })
    assert.match(version, /^\d+\.\d+\.\d+\n$/)
  })

  test('a PDF is read in its process, cut in its thread and found in the index of a third', async () => {
    const store = await client.vectorStores.create({ name: 'books' })
    const pdf = makePdf(['Assam tea is grown in the valley of the Brahmaputra.'])
    const file = await client.vectorStores.files.uploadAndPoll(store.id, await toFile(pdf, 'tea.pdf'), POLL)
    assert.deepEqual([file.status, file.last_error], ['completed', null])
    const { data } = await client.vectorStores.search(store.id, { query: 'Brahmaputra' })
    assert.match(data[0]?.content[0]?.text ?? '', /valley of the Brahmaputra/)
  })

  test('Python runs in a container', { skip: NO_SANDBOX }, async () => {
    const response = await client.responses.create({
      model: 'demo',
      input: 'Run python: 6 * 7',
      tools: [{ type: 'code_interpreter', container: { type: 'auto' } }],
      include: ['code_interpreter_call.outputs'],
    })
    const call = response.output.find((item) => item.type === 'code_interpreter_call')
    assert.match(JSON.stringify(call?.outputs), /42/)
  })
})
