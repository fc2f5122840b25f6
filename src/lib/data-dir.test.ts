import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { DataDirLocked, openDataDir } from './data-dir.ts'

/** Holds the directory in another process until it is killed, although nothing there keeps what it was given. */
const HOLDER = `
  import { openDataDir } from ${JSON.stringify(import.meta.resolve('./data-dir.ts'))}
  openDataDir(process.argv[1])
  gc()
  process.stdout.write('held')
  setInterval(() => {}, 1000)
`

async function holdElsewhere(path: string): Promise<ChildProcess> {
  const args = ['--expose-gc', '--input-type=module', '--eval', HOLDER, path]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  return child
}

function temporaryPath(context: { after(fn: () => void): void }): string {
  const root = mkdtempSync(join(tmpdir(), 'antiphon-data-dir-'))
  context.after(() => rmSync(root, { recursive: true, force: true }))
  return join(root, 'data')
}

const modeOf = (path: string) => statSync(path).mode & 0o777

test('a new data directory and the files in it belong to one user alone', (t) => {
  using dir = openDataDir(temporaryPath(t))
  assert.equal(modeOf(dir.path), 0o700)
  assert.equal(modeOf(join(dir.path, 'lock.json')), 0o600)
  assert.equal(modeOf(join(dir.path, 'lock.db')), 0o600)
})

test('an existing directory of ours that others may read is closed to them', (t) => {
  const path = temporaryPath(t)
  mkdirSync(path)
  chmodSync(path, 0o777)
  using dir = openDataDir(path)
  assert.equal(modeOf(dir.path), 0o700)
})

test('the directory cannot be opened twice, not even by one process, until it is let go', (t) => {
  const path = temporaryPath(t)
  const first = openDataDir(path)
  assert.throws(() => openDataDir(path), DataDirLocked)
  first.dispose()
  first.dispose()
  assert.equal(existsSync(join(path, 'lock.json')), false)
  openDataDir(path).dispose()
})

test('a second server is refused at once and told the pid and the host of the first', async (t) => {
  const path = temporaryPath(t)
  const child = await holdElsewhere(path)
  t.after(() => child.kill('SIGKILL'))
  assert.throws(
    () => openDataDir(path),
    (error) => {
      assert.ok(error instanceof DataDirLocked)
      assert.deepEqual(error.holder, { pid: child.pid, host: hostname() })
      assert.ok(error.message.includes(String(child.pid)) && error.message.includes(hostname()))
      return true
    },
  )
})

test('the lock of a killed server is taken over', async (t) => {
  const path = temporaryPath(t)
  const child = await holdElsewhere(path)
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.ok(existsSync(join(path, 'lock.json')), 'the killed process left its name behind')
  openDataDir(path).dispose()
})
