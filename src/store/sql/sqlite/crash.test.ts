/** Kills a writing process and counts what it had acknowledged. This file is the test and, with arguments, the writer. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../../lib/clock.ts'
import { record, running, usageRow } from '../../store-fixtures.contract.ts'
import { createSqliteStore } from './sqlite-store.ts'

const CYCLES = 5
const ACKS_BEFORE_KILL = 150
const AT_ONCE = 4

if (process.argv[2] === 'write') {
  await write(process.argv[3] ?? '', process.argv[4] ?? '')
} else {
  test('kill -9 while writing loses nothing that was acknowledged and leaves the database whole', killCycles)
}

/** Starts and ends responses until it is killed, and prints each step after the store has acknowledged it. */
async function write(path: string, prefix: string): Promise<void> {
  const project = (await createSqliteStore({ path, clock: systemClock })).forProject('proj_a')
  const lane = async (lane: number) => {
    for (let turn = 0; ; turn++) {
      const id = `resp_${prefix}_${lane}_${turn}`
      await project.startResponse(running(id))
      process.stdout.write(`started ${id}\n`)
      await project.finishResponse(record(id), [usageRow(`use_${id}`, id)])
      process.stdout.write(`ended ${id}\n`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => lane(index)))
}

async function killCycles(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'antiphon-crash-'))
  const path = join(directory, 'antiphon.db')
  try {
    const acknowledged: string[] = []
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      acknowledged.push(...(await writeAndKill(path, String(cycle))))
      await check(path, acknowledged)
    }
    assert.ok(acknowledged.length >= CYCLES * ACKS_BEFORE_KILL)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Answers the lines that were complete when the process was dead. */
async function writeAndKill(path: string, prefix: string): Promise<string[]> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const script = fileURLToPath(import.meta.url)
  const child = spawn(process.execPath, [script, 'write', path, prefix], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
    if (text.split('\n').length > ACKS_BEFORE_KILL) child.kill('SIGKILL')
  })
  await once(child, 'close')
  return text.split('\n').slice(0, -1)
}

async function check(path: string, acknowledged: readonly string[]): Promise<void> {
  const store = await createSqliteStore({ path, clock: systemClock })
  const project = store.forProject('proj_a')
  for (const line of acknowledged) {
    const [step, id = ''] = line.split(' ')
    const row = await project.getResponse(id)
    assert.ok(row, `${line} was acknowledged and is lost`)
    if (step === 'ended') assert.deepEqual(row, record(id).response)
  }
  await store.failOrphans({ code: 'server_error', message: 'the server stopped' })
  await store.close()
  using database = new DatabaseSync(path)
  assert.deepEqual(
    database
      .prepare('PRAGMA integrity_check')
      .all()
      .map((row) => row.integrity_check),
    ['ok'],
  )
  assert.deepEqual(database.prepare('PRAGMA foreign_key_check').all(), [])
  const [torn] = database.prepare(TORN).all()
  assert.equal(torn?.count, 0, 'a response has ended without its items or its usage')
}

const TORN = `
  SELECT count(*) AS count FROM responses WHERE status = 'completed' AND (
    (SELECT count(*) FROM items WHERE response_seq = responses.seq) <> 2 OR
    (SELECT count(*) FROM usage WHERE response_id = responses.id) <> 1)`
