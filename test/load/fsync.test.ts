/**
 * On disk before it is told (law 6), seen from outside: the system calls of the real process show that a response was
 * synced before a socket got a byte that says it is completed. Killing a process cannot show that, because what it
 * wrote outlives it in the page cache.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isFull } from '../faults/seed.ts'
import { startAntiphon } from '../suites/start-antiphon.ts'
import { openExchange, terminalOf } from './exchange.ts'
import { printFigures } from './figures.ts'
import { readAcks } from './traced-acks.ts'

const RESPONSES = isFull ? 200 : 40
const CLIENTS = 8
const PLANTED = fileURLToPath(new URL('./synchronous-off.ts', import.meta.url))
const CALLS = 'fsync,fdatasync,write,writev,pwrite64,pwritev,sendto,sendmsg'
/** Whole pages and replies, so that no id is left out. */
const MAX_STRING = 65_536

test('no response is told as completed before it is synced', async (t) => {
  if (!canTrace(t)) return
  const lines = await trace({})
  const acks = readAcks(lines)
  assert.equal(acks.told, RESPONSES, 'the trace shows every acknowledgement')
  assert.ok(acks.syncs > 0)
  assert.deepEqual(acks.early, [])
  const unsynced = lines.replaceAll(/^.*f(data)?sync\(.*$/gm, '')
  assert.equal(readAcks(unsynced).early.length, RESPONSES, 'the same trace without its syncs is found out')
  printFigures(t, 'fsync', { responses: acks.told, syncs: acks.syncs, 'told too early': acks.early.length })
})

// Takes a second server, so only in the full form; in the short one the trace without its syncs has to do.
if (isFull) {
  test('a database that does not wait for the disk is found out', async (t) => {
    if (!canTrace(t)) return
    const acks = readAcks(await trace({ NODE_OPTIONS: `--import=${PLANTED}` }))
    assert.equal(acks.told, RESPONSES)
    assert.equal(acks.early.length, RESPONSES)
    printFigures(t, 'fsync, planted fault', {
      responses: acks.told,
      syncs: acks.syncs,
      'told too early': acks.early.length,
    })
  })
}

function canTrace(t: TestContext): boolean {
  const { status } = spawnSync('strace', ['-f', '-o', '/dev/null', 'true'], { stdio: 'ignore' })
  if (status === 0) return true
  t.skip(status === null ? 'skipped, because strace is not installed' : 'skipped, because strace may not trace here')
  return false
}

/** Stored responses, half of them streamed, by clients at once; answers the system calls of the server. */
async function trace(env: Readonly<Record<string, string>>): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'antiphon-trace-'))
  const file = join(folder, 'trace')
  const strace = ['strace', '-f', '-y', '--seccomp-bpf', '-s', String(MAX_STRING), '-e', `trace=${CALLS}`, '-o', file]
  const server = await startAntiphon({ prefix: strace, env, config: 'limits: { requests_per_minute: 0 }' })
  try {
    let next = 0
    const address = { url: `http://127.0.0.1:${server.port}`, apiKey: server.key }
    const client = async () => {
      while (next < RESPONSES) await store(address, next++)
    }
    await Promise.all(Array.from({ length: CLIENTS }, client))
    // The first line is of the server's main thread; strace itself ends with it.
    const pid = Number(readFileSync(file, 'utf8').split(/\s/, 1)[0])
    assert.equal(await server.process.stop(pid), 0)
    return readFileSync(file, 'latin1')
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true })
  }
}

async function store(server: { readonly url: string; readonly apiKey: string }, index: number): Promise<void> {
  const stream = index % 2 === 0
  const exchange = openExchange(server, { model: 'demo', input: `Keep number ${index}.`, stream, store: true })
  assert.equal(await exchange.ended, 'whole')
  assert.equal(exchange.status(), 200, exchange.text())
  if (stream) assert.equal(terminalOf(exchange.text()).type, 'response.completed')
}
