/**
 * What a newcomer does: `npm start` on an empty data directory, then the curl line it prints, literally. Then the same
 * again, when a key is there already. Run it with `node --test test/suites/fresh-start.ts`.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { processTree } from '../../bench/process-cost.ts'
import { waitUntilHealthy } from './start-antiphon.ts'
import { baseEnv, freePort, type StartedProcess, startProcess } from './start-process.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const KEY = /sk-antiphon-[A-Za-z0-9_-]{8,}/
/** A command with its continued lines, wherever on the line it starts. */
const CURL = /curl (?:.*\\\n)*.*/
const CURL_MS = 20_000

describe('a fresh start', () => {
  const home = mkdtempSync(join(tmpdir(), 'antiphon-fresh-'))
  const env = { ...baseEnv(), HOME: home, ANTIPHON_DATA_DIR: join(home, 'data'), ANTIPHON_DISCOVERY__ENABLED: 'false' }
  let curl = ''
  after(() => rmSync(home, { recursive: true, force: true }))

  async function start(port: number): Promise<StartedProcess> {
    const started = startProcess('npm', ['start'], { cwd: ROOT, env: { ...env, PORT: String(port) } })
    try {
      await waitUntilHealthy(port, started)
      return started
    } catch (error) {
      await stop(started)
      throw error
    }
  }

  /** SIGTERM to the server: npm and the shell between pass no signals on, they only wait for it. */
  const stop = (npm: StartedProcess) => npm.stop(processTree(npm.pid).find(isLauncher))

  async function runLiterally(command: string) {
    const shell = startProcess('bash', ['-c', command], { env: baseEnv() })
    const timer = setTimeout(() => void shell.stop(), CURL_MS)
    const code = await shell.exited
    clearTimeout(timer)
    return { code, output: shell.output() }
  }

  test('prints a key once and a curl line that answers, and stops on SIGTERM with 0', async () => {
    const port = await freePort()
    const server = await start(port)
    try {
      ;[curl] = await server.waitFor(CURL, 5_000)
      assert.match(curl, KEY)
      await assertAnswered()
    } finally {
      assert.equal(await stop(server), 0, server.output().replaceAll(new RegExp(KEY, 'g'), '<key>'))
    }
    curl = curl.replaceAll(String(port), '<port>')
  })

  test('the second time shows no key, and the first one still works', async () => {
    const port = await freePort()
    const server = await start(port)
    try {
      assert.doesNotMatch(server.output(), KEY)
      curl = curl.replaceAll('<port>', String(port))
      await assertAnswered()
      assert.doesNotMatch(server.output(), KEY)
    } finally {
      assert.equal(await stop(server), 0)
    }
  })

  async function assertAnswered(): Promise<void> {
    const { code, output } = await runLiterally(curl)
    const body = output.slice(output.indexOf('{'), output.lastIndexOf('}') + 1)
    assert.equal(code, 0, output)
    const response: { object?: string; status?: string } = JSON.parse(body)
    assert.equal(response.object, 'response', output)
    assert.equal(response.status, 'completed')
  }
})

/** The server itself or what stands for it, not npm and not the shell that npm starts. */
function isLauncher(pid: number): boolean {
  const [program = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  return /(^|\/)node$/.test(program) && args.some((arg) => /bin\/antiphon\.js$|src\/main\.ts$/.test(arg))
}
