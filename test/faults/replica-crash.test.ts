/**
 * kill -9 of one of two replicas under background runs, again and again: each run ends, once, wherever it goes on; nothing
 * is written twice; and whoever reads, from whatever cursor and at whichever replica, reads the same log.
 *
 * A take-over waits for the lease of the dead, so several pairs of replicas are tried side by side.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { NO_POSTGRES } from '../support/postgres.ts'
import {
  type Begun,
  beginRun,
  checkRun,
  resume,
  type Server,
  type Started,
  waitForEnd,
  writesOf,
} from './background-load.ts'
import { openReplicaBed, type ReplicaBed } from './replica-bed.ts'
import { announceSeed, isFull, seededRandom, withinMs } from './seed.ts'

const PAIRS = 3
const KILLS_OF_A_PAIR = isFull ? 20 : 1
const STREAMED = 4
const POLLED = 3
const CURSORS = 3
const MAX_LIFE_MS = 2_500
/** From the kill. */
const MAX_HEAL_MS = withinMs(30_000)
/** Nobody but a next owner ends a run so late: it waits for the lease of the dead. */
const TAKEN_OVER_MS = 5_000
/** Longer than the lease of a delivery that died with its replica. */
const MAX_TELL_MS = 90_000

type Random = () => number
type End = { readonly status: string; readonly ms: number }

type Ended = { readonly run: Started; readonly response: Readonly<Record<string, unknown>>; readonly ms: number }

/** Reads on at the survivor whatever the dead one does not tell any more. Null: it was never acknowledged. */
async function seeThrough({ at, run, reading }: Begun, survivor: Server, killedAt: number): Promise<Ended | null> {
  const isCutOff = at !== survivor
  if (isCutOff) await reading
  const early = run()
  if (isCutOff && early === null) return null
  const readingOn = isCutOff && early?.told ? resume(survivor, early.id, early.told) : reading
  if (early === null) await readingOn
  const known = run()
  assert.ok(known, 'a stream of one that lives tells something')
  const response = await waitForEnd(survivor, known.id, killedAt + MAX_HEAL_MS)
  const ms = performance.now() - killedAt
  await readingOn
  return { run: known, response, ms }
}

/** One kill, and everything that has to hold after it. */
async function killOne(bed: ReplicaBed, random: Random, next: () => string): Promise<End[]> {
  const [victim, survivor] = random() < 0.5 ? bed.replicas : [bed.replicas[1], bed.replicas[0]]
  const [dying, living] = [victim.server(), survivor.server()]
  const begins = Array.from({ length: STREAMED + POLLED }, async (_, index) => {
    const at = random() < 0.5 ? dying : living
    await delay(random() * MAX_LIFE_MS * 0.4)
    return beginRun(at, next(), bed.writer.url, index < STREAMED)
  })
  await delay(random() * MAX_LIFE_MS)
  await dying.kill()
  const killedAt = performance.now()
  // Half of the time the dead one is back before anybody has missed it.
  const back = random() < 0.5 ? victim.start() : null
  const begun = (await Promise.all(begins)).filter((it) => it !== null)
  const all = await Promise.all(begun.map((it) => seeThrough(it, living, killedAt)))
  await (back ?? victim.start())
  const ended = all.filter((it) => it !== null)
  for (const { run, response } of ended) await checkLogs(bed, run, response, random)
  return ended.map(({ response, ms }) => ({ status: String(response.status), ms }))
}

/** The log is the same at both, from the start and from any cursor. */
async function checkLogs(bed: ReplicaBed, run: Started, response: Ended['response'], random: Random): Promise<void> {
  const [one, other] = bed.replicas
  const log = await checkRun(one.server(), run, response)
  if (log === null) return
  assert.deepEqual(await checkRun(other.server(), run, response), log)
  for (let n = 0; n < CURSORS; n++) {
    const at = Math.floor(random() * log.length)
    const read = log.slice(0, at + 1)
    await resume((random() < 0.5 ? one : other).server(), run.id, read)
    assert.deepEqual(read, log, `the events after ${at}`)
  }
}

/** So often is one of a pair killed. Answers how each run ended. */
async function tryPair(random: Random): Promise<End[]> {
  const bed = await openReplicaBed(random)
  try {
    const ends: End[] = []
    let runs = 0
    const next = () => `run-${++runs}`
    for (let kill = 1; kill <= KILLS_OF_A_PAIR; kill++) {
      const some = await killOne(bed, random, next).catch(async (cause) => {
        const then = await describeJobs(bed)
        await delay(5_000)
        throw new Error(`after kill ${kill}; jobs: ${then}; 5 s later: ${await describeJobs(bed)}`, { cause })
      })
      ends.push(...some)
    }
    const twice = [...writesOf(bed.writer)].filter(([, count]) => count > 1)
    assert.deepEqual(twice, [], 'written twice')
    await checkToldEnds(bed)
    assert.deepEqual(await bed.stop(), [0, 0])
    return ends
  } finally {
    await bed.close()
  }
}

/** For the message of a failure: who has what is not over, and since when. */
async function describeJobs({ schema }: ReplicaBed): Promise<string> {
  const jobs = await schema.query(`
    select responses.id, jobs.owner, token, reruns, boundary, seen_past, lease_until, started_at,
      (select count(*) from job_steps where job_seq = jobs.seq) as steps,
      (select max(last) from event_batches where event_batches.response_seq = jobs.response_seq) as last
    from jobs join responses on responses.seq = jobs.response_seq`)
  const replicas = await schema.query('select seq, lease_until from replicas')
  return JSON.stringify({ now: Date.now(), replicas, jobs })
}

/** Every end was told to the webhook, as one event, however often that was sent. */
async function checkToldEnds({ schema, toldEnds }: ReplicaBed): Promise<void> {
  const rows = await schema.query('select id, status from responses')
  const until = performance.now() + MAX_TELL_MS
  while (toldEnds.size < rows.length && performance.now() < until) await delay(100)
  assert.deepEqual(
    rows.flatMap(({ id }) => (toldEnds.get(String(id))?.size === 1 ? [] : [id])),
    [],
    'not told once',
  )
}

test(`${PAIRS * KILLS_OF_A_PAIR} kills of one of two replicas: every run ends once within 30 s, nothing is written twice, every reader reads the log`, {
  skip: NO_POSTGRES,
  timeout: isFull ? 1_800_000 : 240_000,
}, async (t) => {
  const seed = announceSeed(t)
  const ends = (
    await Promise.all(Array.from({ length: PAIRS }, (_, pair) => tryPair(seededRandom(seed + pair))))
  ).flat()
  const count = (of: readonly End[]) =>
    [...Map.groupBy(of, ({ status }) => status)].map(([status, some]) => `${some.length} ${status}`).join(', ')
  const late = ends.filter(({ ms }) => ms > TAKEN_OVER_MS)
  t.diagnostic(`${ends.length} runs: ${count(ends)}; taken over: ${count(late)}`)
  t.diagnostic(`the last one ended ${Math.round(Math.max(...ends.map(({ ms }) => ms)))} ms after its kill`)
  if (isFull)
    assert.ok(
      late.some(({ status }) => status === 'completed'),
      'some were gone on with',
    )
})
