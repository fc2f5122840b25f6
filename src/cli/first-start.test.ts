/** The first minutes of a user, on the real server in child processes. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const LAUNCHER = fileURLToPath(new URL('../../bin/antiphon.js', import.meta.url))
const home = mkdtempSync(join(tmpdir(), 'antiphon-first-'))
after(() => rmSync(home, { recursive: true }))
const ENV = { PATH: process.env.PATH ?? '', HOME: home, ANTIPHON_DISCOVERY__ENABLED: 'false' }

async function start(): Promise<{ readonly child: ChildProcess; readonly screen: string; readonly url: string }> {
  const child = spawn('/usr/bin/env', ['node', LAUNCHER, '--port', '0'], {
    env: ENV,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stderr.resume()
  let screen = ''
  for await (const chunk of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    screen += chunk
    const url = /^READY (\S+)$/m.exec(screen)?.[1]
    if (url !== undefined) return { child, screen, url }
  }
  return assert.fail(`the server did not start: ${screen}`)
}

async function stop(child: ChildProcess): Promise<void> {
  const end = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  assert.equal(await end, 0)
}

const antiphon = (...args: string[]) =>
  spawnSync('/usr/bin/env', ['node', LAUNCHER, ...args], { env: ENV, encoding: 'utf8' })

const statusWith = async (url: string, key: string) =>
  (await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })).status

test('the first start makes a key that works, later starts keep it and show it no more', async () => {
  const first = await start()
  const key = /Bearer (sk-antiphon-\w+)"/.exec(first.screen)?.[1] ?? ''
  const body = JSON.stringify({ model: 'demo', input: 'Say hello' })
  assert.ok(first.screen.includes(`-d '${body}'`))
  const response = await fetch(`${first.url}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body,
  })
  assert.equal(response.status, 200, await response.text())
  await stop(first.child)
  assert.equal(statSync(join(home, '.antiphon', 'api-key')).mode & 0o777, 0o600)

  const second = await start()
  assert.ok(!second.screen.includes(key))
  assert.equal(await statusWith(second.url, key), 200)
  await stop(second.child)
})

test('keys are made, listed and revoked while a server runs, and it heeds that within five seconds', async () => {
  const { child, url } = await start()
  const created = antiphon('keys', 'create', '--name', 'ci')
  assert.equal(created.status, 0, created.stderr)
  const key = created.stdout.trim()
  assert.equal(await statusWith(url, key), 200)
  assert.match(antiphon('keys', 'list').stdout, / ci +.* active\n/)
  const revoked = performance.now()
  assert.equal(antiphon('keys', 'revoke', key).status, 0)
  while ((await statusWith(url, key)) === 200) {
    assert.ok(performance.now() - revoked < 60_000, 'it still heeds the key')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  await stop(child)
})

test('a second server on the same data directory is refused with the holder', async () => {
  const { child } = await start()
  const { status, stderr } = antiphon('--port', '0')
  assert.equal(status, 3)
  assert.match(stderr, /^antiphon: The data directory \S+ is in use by process \d+ on .*\n$/)
  await stop(child)
})
