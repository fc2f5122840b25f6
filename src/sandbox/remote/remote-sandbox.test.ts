import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { NO_SANDBOX } from '../../../test/support/code-sandbox.ts'
import { systemClock } from '../../lib/clock.ts'
import { createBubblewrapHost } from '../bubblewrap/bubblewrap-sandbox.ts'
import { sandboxContract } from '../sandbox.contract.ts'
import { SandboxError, SandboxUnavailable, type SessionLimits } from '../sandbox.ts'
import { PROBE_LIMITS } from '../session/self-test.ts'
import { createRemoteSandbox } from './remote-sandbox.ts'
import { createWorker, type Worker } from './worker.ts'

const TOKEN = 'a-token-of-both'
const NEVER = new AbortController().signal
const MOST: SessionLimits = {
  wallMs: 10_000,
  cpuMs: 60_000,
  memoryBytes: 1e9,
  diskBytes: 1e8,
  outputBytes: 1e6,
  processes: 64,
  files: 10_000,
}

const host = (python = '/usr/bin/python3') =>
  createBubblewrapHost({ clock: systemClock, secret: `secret-${performance.now()}`, python, bubblewrap: null })

let worker: Worker
let url = ''
before(async () => {
  worker = createWorker({ host: host(), token: TOKEN, most: MOST, containers: 6 })
  url = (await worker.listen('127.0.0.1', 0)).url
})
after(() => worker.close())

const open = (token = TOKEN, at = url) => createRemoteSandbox({ url: at, token, clock: systemClock })

sandboxContract('of a worker', { open, missing: NO_SANDBOX, hasProcesses: true })

test('a worker knows its token and nobody else', async () => {
  for (const token of ['', 'a-token-of-bot', `${TOKEN}x`, 'wrong'])
    await assert.rejects(open(token).open(PROBE_LIMITS, NEVER), (error) => {
      assert.ok(error instanceof SandboxUnavailable, String(error))
      assert.match(error.message, /token is another one/)
      return true
    })
})

test('a worker has so much room', { skip: NO_SANDBOX }, async () => {
  const sandbox = open()
  const sessions = await Promise.all(Array.from({ length: 6 }, () => sandbox.open(PROBE_LIMITS, NEVER)))
  await assert.rejects(sandbox.open(PROBE_LIMITS, NEVER), (error) => {
    assert.ok(error instanceof SandboxError, String(error))
    assert.match(error.message, /6 containers already/)
    return true
  })
  sessions[0]?.close()
  for (let tries = 0; ; tries += 1) {
    const again = await sandbox.open(PROBE_LIMITS, NEVER).catch(() => null)
    if (again) break
    assert.ok(tries < 50, 'the room is not given back')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await sandbox.close()
})

test('limits of a worker are the most that a server can ask for', { skip: NO_SANDBOX }, async () => {
  const small = createWorker({
    host: host(),
    token: TOKEN,
    most: { ...MOST, diskBytes: 1e6, wallMs: 1_000 },
    containers: 1,
  })
  const { url: at } = await small.listen('127.0.0.1', 0)
  const sandbox = open(TOKEN, at)
  const session = await sandbox.open({ ...PROBE_LIMITS, wallMs: 20_000 }, NEVER)
  assert.equal((await session.run('open("x", "wb").write(b"x" * 2_000_000)', { signal: NEVER })).status, 'error')
  assert.equal((await session.run('while True: pass', { signal: NEVER })).status, 'timeout')
  await sandbox.close()
  await small.close()
})

test('a worker that is gone, and one without a sandbox, are told apart', async () => {
  const closed = createWorker({ host: host(), token: TOKEN, most: MOST, containers: 1 })
  const { url: gone } = await closed.listen('127.0.0.1', 0)
  await closed.close()
  await assert.rejects(open(TOKEN, gone).open(PROBE_LIMITS, NEVER), SandboxError)
  const without = createWorker({ host: host('/opt/python'), token: TOKEN, most: MOST, containers: 1 })
  const { url: at } = await without.listen('127.0.0.1', 0)
  await assert.rejects(open(TOKEN, at).open(PROBE_LIMITS, NEVER), SandboxUnavailable)
  await without.close()
})

test('a connection that breaks ends its container', { skip: NO_SANDBOX }, async () => {
  const own = createWorker({ host: host(), token: TOKEN, most: MOST, containers: 1 })
  const { url: at } = await own.listen('127.0.0.1', 0)
  const sandbox = open(TOKEN, at)
  const session = await sandbox.open(PROBE_LIMITS, NEVER)
  const running = assert.rejects(session.run('while True: pass', { signal: NEVER }), SandboxError)
  await own.close()
  await running
  await session.ended
})
