/** `antiphon sandbox serve` as a process of its own, and a server that runs its code there. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import OpenAI from 'openai'
import { baseEnv, startProcess } from '../suites/start-process.ts'
import { NO_SANDBOX } from '../support/code-sandbox.ts'
import { startServer } from '../support/server.ts'

const LAUNCHER = fileURLToPath(new URL('../../bin/antiphon.js', import.meta.url))
const TOKEN = 'a-token-of-both'

test('code runs on the machine of a worker, and what it cannot do is told', { skip: NO_SANDBOX }, async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'antiphon-worker-'))
  t.after(() => rm(home, { recursive: true, force: true }))
  const worker = startProcess(process.execPath, [LAUNCHER, 'sandbox', 'serve', '--port', '0'], {
    cwd: home,
    env: { ...baseEnv(), HOME: home, ANTIPHON_TOOLS__CODE_INTERPRETER__TOKEN: TOKEN },
  })
  t.after(() => worker.stop())
  const [, url = ''] = await worker.waitFor(/^READY (\S+)$/m, 60_000)
  const started = async (token: string) => {
    const server = await startServer({ config: `tools: { code_interpreter: { url: "${url}", token: "${token}" } }\n` })
    t.after(() => server.close())
    const client = new OpenAI({ baseURL: server.baseUrl, apiKey: server.apiKey, maxRetries: 0 })
    const input = 'Run python: print(6 * 7)'
    return () =>
      client.responses.create({
        model: 'demo',
        input,
        tools: [{ type: 'code_interpreter', container: { type: 'auto' } }],
      })
  }
  const ask = await started(TOKEN)
  assert.match((await ask()).output_text, /42/)
  await assert.rejects(await started('another'), /tool_unavailable|token is another one/)
  await worker.stop()
  const failed = await ask().catch((error: unknown) => error)
  assert.ok(!(failed instanceof OpenAI.InternalServerError), String(failed))
})
