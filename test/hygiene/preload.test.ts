import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const PRELOAD = fileURLToPath(new URL('./preload.ts', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'antiphon-preload-'))
after(() => rmSync(scratch, { recursive: true, force: true }))

/** Runs a test file as the runner does: a process of its own below `node --test`. */
function runTestFile(name: string, body: string, graceMs = 300) {
  const path = join(scratch, `${name}.test.mjs`)
  writeFileSync(path, `import { after, test } from 'node:test'\nimport net from 'node:net'\n${body}`)
  const { NODE_TEST_CONTEXT: _, ANTIPHON_TEST_PROCESS: __, ...inherited } = process.env
  const env = { ...inherited, ANTIPHON_TEST_GRACE_MS: String(graceMs) }
  const args = ['--import', PRELOAD, '--test', '--test-reporter=tap', path]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8', timeout: 120_000 })
  return { status, output: stdout + stderr }
}

describe('a test file', () => {
  test('passes when it closes what it opened, also in a late after hook', () => {
    const body = `
      const server = net.createServer().listen(0)
      after(async () => { await new Promise((done) => setTimeout(done, 100)); server.close() })
      test('works', async () => {})`
    assert.equal(runTestFile('clean', body, 60_000).status, 0)
  })

  test('fails when a server is left listening, and says so', () => {
    const { status, output } = runTestFile('server', `net.createServer().listen(0)\ntest('works', () => {})`)
    assert.equal(status, 1)
    assert.match(output, /still open after the last test:\n#?\s+TCPServerWrap/)
  })

  test('fails when a timer is left running', () => {
    const { status, output } = runTestFile('timer', `setInterval(() => {}, 1000)\ntest('works', () => {})`)
    assert.equal(status, 1)
    assert.match(output, /Timeout/)
  })

  test('may fork a process, which is no test file', () => {
    const child = join(scratch, 'child.mjs')
    writeFileSync(child, 'setTimeout(() => {}, 600)')
    const body = `
      import { fork } from 'node:child_process'
      test('works', async () => {
        const child = fork(${JSON.stringify(child)}, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
        let output = ''
        for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => { output += data })
        const code = await new Promise((done) => child.on('close', done))
        if (code !== 0 || output !== '') throw new Error(code + output)
      })`
    const { status, output } = runTestFile('fork', body)
    assert.equal(status, 0, output)
  })

  test('fails when a rejection comes after the tests', () => {
    const body = `test('works', () => { setTimeout(() => Promise.reject(new Error('too late')), 50) })`
    const { status, output } = runTestFile('rejection', body)
    assert.equal(status, 1)
    assert.match(output, /too late/)
  })

  test('fails when an error is thrown after the tests', () => {
    const body = `test('works', () => { setTimeout(() => { throw new Error('thrown late') }, 50) })`
    const { status, output } = runTestFile('throw', body)
    assert.equal(status, 1)
    assert.match(output, /thrown late/)
  })
})
