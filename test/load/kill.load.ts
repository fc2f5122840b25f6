/**
 * kill -9, a hundred times, while clients store, stream, chain, delete and leave. Always in full number: the short form
 * of this test is `test/faults/crash.test.ts`.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { runLoad } from '../faults/crash-load.ts'
import type { Acknowledged, RunningServer } from '../faults/crash-runner.ts'
import { announceSeed, seededRandom } from '../faults/seed.ts'
import { send } from '../support/http.ts'
import { idIn, openExchange } from './exchange.ts'
import { printFigures, quantile } from './figures.ts'
import { type LoadBed, openLoadBed } from './load-bed.ts'
import { modelOf } from './load-upstream.ts'
import { checkIntegrity, readRows, unfinished } from './stored-rows.ts'

const CYCLES = Number(process.env.ANTIPHON_KILL_CYCLES ?? 100)
const CLIENTS = 12
const LEAVERS = 4
/** After the first acknowledgement. */
const MAX_LIFE_MS = 600
/** From the start of the process to its first answer; on a quiet machine it takes well below a second. */
const MAX_START_MS = 10_000
const CHECKS_AT_ONCE = 20
const MODEL = `load/${modelOf({ tokens: 8, gapMs: 2 })}`

test(`${CYCLES} times kill -9 lose nothing that was acknowledged`, async (t) => {
  const random = seededRandom(announceSeed(t))
  await using bed = await openLoadBed('limits: { requests_per_minute: 0 }')
  const ledger: Acknowledged[] = []
  const starts: number[] = []
  let checked = 0
  const began = performance.now()
  for (let cycle = 0; cycle < CYCLES; cycle += 1) {
    const server = await startHealed(bed, starts)
    await checkLedger(server, ledger.slice(checked))
    checked = ledger.length
    await loadAndKill(server, ledger, random)
  }
  const last = await startHealed(bed, starts)
  await checkLedger(last, ledger.slice(checked))
  assert.equal(await last.stop(), 0)
  const { ended, deleted, created } = checkWholeLedger(bed, ledger)
  printFigures(t, 'kill -9', {
    cycles: CYCLES,
    'ended and kept': ended,
    'created and seen': created,
    deleted,
    lost: 0,
    'start p50 ms': quantile(starts, 0.5),
    'start max ms': Math.max(...starts),
    'cycle mean ms': (performance.now() - began) / CYCLES,
  })
})

/** From its first answer on, nothing looks as if it still ran, and the file is sound. */
async function startHealed(bed: LoadBed, starts: number[]): Promise<RunningServer> {
  const server = await bed.start()
  starts.push(server.startMs)
  assert.ok(server.startMs < MAX_START_MS, `a start took ${server.startMs} ms`)
  assert.deepEqual(unfinished(readRows(bed.dataDir)), [])
  checkIntegrity(bed.dataDir)
  return server
}

async function loadAndKill(server: RunningServer, ledger: Acknowledged[], random: () => number): Promise<void> {
  const first = Promise.withResolvers<void>()
  const acknowledge = (entry: Acknowledged) => {
    ledger.push(entry)
    first.resolve()
  }
  let alive = true
  const leavers = Array.from({ length: LEAVERS }, async () => {
    while (alive) await startAndLeave(server, acknowledge, random)
  })
  const load = runLoad({ server, model: MODEL, clients: CLIENTS, random, acknowledge })
  await first.promise
  await delay(random() * MAX_LIFE_MS)
  alive = false
  await server.kill()
  await Promise.all([load, ...leavers])
}

/** A stream that its client leaves in the middle: what it saw exists, however it ended. */
async function startAndLeave(
  server: RunningServer,
  acknowledge: (entry: Acknowledged) => void,
  random: () => number,
): Promise<void> {
  const body = { model: `load/${modelOf({ tokens: 500, gapMs: 5 })}`, input: 'I will leave.', stream: true }
  const exchange = openExchange(server, body)
  await Promise.race([delay(random() * 100), exchange.ended])
  exchange.leave(random() < 0.5 ? 'fin' : 'rst')
  await exchange.ended
  const id = idIn(exchange.text())
  if (id !== '') acknowledge({ what: 'created', id })
}

/** What was told between two starts, asked for one by one. */
async function checkLedger(server: RunningServer, entries: readonly Acknowledged[]): Promise<void> {
  const doubtful = new Set(entries.filter(({ what }) => what === 'deleting').map(({ id }) => id))
  const deleted = new Set(entries.filter(({ what }) => what === 'deleted').map(({ id }) => id))
  const waiting = entries.filter(({ what, id }) => what !== 'deleting' && (!doubtful.has(id) || deleted.has(id)))
  const work = async () => {
    for (let entry = waiting.pop(); entry; entry = waiting.pop()) await checkEntry(server, entry, deleted)
  }
  await Promise.all(Array.from({ length: CHECKS_AT_ONCE }, work))
}

async function checkEntry(server: RunningServer, entry: Acknowledged, deleted: ReadonlySet<string>): Promise<void> {
  const { status, json } = await send(server, 'GET', `/v1/responses/${entry.id}`)
  if (deleted.has(entry.id)) return assert.equal(status, 404, `${entry.id} came back`)
  assert.equal(status, 200, `${entry.what} ${entry.id} is lost`)
  if (entry.what === 'ended') assert.deepEqual(json, entry.response)
  else assert.match(String(json.status), /^(completed|failed|cancelled)$/)
}

/** At the end once more over all cycles: every id is there once, what was deleted stays away, all is at rest. */
function checkWholeLedger(bed: LoadBed, ledger: readonly Acknowledged[]) {
  const idsOf = (wanted: Acknowledged['what']) => ledger.filter(({ what }) => what === wanted).map(({ id }) => id)
  const [created, ended, deleted] = [idsOf('created'), idsOf('ended'), idsOf('deleted')]
  assert.equal(new Set(created).size, created.length, 'no id was given to two streams')
  assert.equal(new Set(ended).size, ended.length, 'no id ended twice')
  const doubtful = new Set(idsOf('deleting'))
  const { responses } = readRows(bed.dataDir)
  for (const id of [...created, ...ended]) assert.ok(doubtful.has(id) || responses.has(id), `${id} is lost`)
  for (const id of deleted) assert.ok([undefined, 'deleted'].includes(responses.get(id)), `${id} came back`)
  return { created: created.length, ended: ended.length, deleted: deleted.length }
}
