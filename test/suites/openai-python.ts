/**
 * The official Python SDK against a started server. `ANTIPHON_PYTHON` names a Python that has the `openai` package.
 * Run it with `node --test test/suites/openai-python.ts`.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startAntiphon } from './start-antiphon.ts'
import { baseEnv, startProcess } from './start-process.ts'

const CLIENT = fileURLToPath(new URL('./openai-python.py', import.meta.url))
const python = process.env.ANTIPHON_PYTHON
const skip = python ? false : 'because ANTIPHON_PYTHON names no Python that has the openai package'

test('the Python SDK creates, streams, calls tools and parses', { skip, timeout: 120_000 }, async (t) => {
  const server = await startAntiphon()
  try {
    const env = { ...baseEnv(), OPENAI_BASE_URL: server.baseUrl, OPENAI_API_KEY: server.key }
    const client = startProcess(python ?? '', [CLIENT], { env })
    const code = await client.exited
    const lines = client.output().replaceAll(server.key, '<key>').trim().split('\n')
    for (const line of lines) t.diagnostic(line)
    assert.equal(code, 0, lines.filter((line) => !line.startsWith('ok')).join('\n'))
  } finally {
    await server.stop()
  }
})
