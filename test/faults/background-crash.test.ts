/** kill -9 and SIGTERM under background runs: each of them ends, once, and nothing is written twice. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startChatUpstream } from '../fakes/chat-upstream.ts'
import {
  answerOf,
  checkRun,
  createBackground,
  idOf,
  type LoggedEvent,
  readInto,
  resume,
  type Server,
  type Started,
  startWriter,
  waitForEnd,
  writesOf,
} from './background-load.ts'
import { createCrashRunner } from './crash-runner.ts'
import { announceSeed, isFull, seededRandom, withinMs } from './seed.ts'

const CYCLES = isFull ? 60 : 4
const STREAMED = 3
const POLLED = 3
const MAX_LIFE_MS = 900
/** From the start of the next process. */
const MAX_HEAL_MS = withinMs(30_000)

/** The full form takes its time. */
const LIMIT = { timeout: isFull ? 1_800_000 : 240_000 }

async function openBed(random: () => number) {
  const upstream = await startChatUpstream({ script: (request) => answerOf(request, random), record: false })
  const writer = await startWriter(random)
  const runner = createCrashRunner(`
providers: { upstream: { type: openai_compatible, api_base: "${upstream.url}", api_key: k } }
security: { allow_private_hosts: ["${writer.host}"] }
server: { drain_timeout: 5s }
`)
  return {
    writer,
    runner,
    async close() {
      runner.dispose()
      await upstream.close()
      await writer.close()
    },
  }
}

/** Some that are read as they are told, some that nobody reads. Answers those that the server has acknowledged. */
async function startRuns(server: Server, mcpUrl: string, next: () => string) {
  const started: Started[] = []
  const readers: Promise<void>[] = []
  const start = async (stream: boolean) => {
    const tag = next()
    const reply = await createBackground(server, tag, mcpUrl, stream).catch(() => null)
    if (reply === null) return
    if (stream) {
      const told: LoggedEvent[] = []
      const reading = readInto(told, reply.body).then(() => {
        const [first] = told
        if (first) started.push({ id: idOf(first), tag, told })
      })
      readers.push(reading)
      return
    }
    const json = await reply.body.json().catch(() => null)
    if (json !== null) started.push({ id: String((json as { id: unknown }).id), tag, told: null })
  }
  await Promise.all([
    ...Array.from({ length: STREAMED }, () => start(true)),
    ...Array.from({ length: POLLED }, () => start(false)),
  ])
  return { started, readers }
}

test(
  'kill -9 loses no background run, ends each once, writes nothing twice, and every reader gets the whole log (req 166)',
  LIMIT,
  async (t) => {
    const random = seededRandom(announceSeed(t))
    const bed = await openBed(random)
    t.after(() => bed.close())
    let runs = 0
    const next = () => `run-${++runs}`
    const ends = new Map<string, number>()
    const heals: number[] = []
    let open: readonly Started[] = []
    for (let cycle = 0; cycle <= CYCLES; cycle += 1) {
      const server = await bed.runner.start()
      const began = performance.now()
      // Readers come back while the runs go on, and are cut off once more where there is time for it.
      const back = open.map(({ id, told }) => (told ? resume(server, id, told) : null))
      for (const started of open) {
        const response = await waitForEnd(server, started.id, began + MAX_HEAL_MS)
        ends.set(String(response.status), (ends.get(String(response.status)) ?? 0) + 1)
        await Promise.all(back)
        await checkRun(server, started, response)
      }
      if (open.length > 0) heals.push(Math.round(performance.now() - began))
      if (cycle === CYCLES) {
        assert.equal(await server.stop(), 0)
        break
      }
      const { started, readers } = await startRuns(server, bed.writer.url, next)
      await delay(random() * MAX_LIFE_MS)
      await server.kill()
      await Promise.all(readers)
      open = started
    }
    const twice = [...writesOf(bed.writer)].filter(([, count]) => count > 1)
    assert.deepEqual(twice, [], 'written twice')
    t.diagnostic(`${CYCLES} kills, ${runs} runs; ends: ${[...ends].map(([status, n]) => `${n} ${status}`).join(', ')}`)
    t.diagnostic(`healed within ${Math.max(...heals)} ms`)
    assert.ok((ends.get('completed') ?? 0) > 0)
  },
)

test('after SIGTERM background runs go on where they were, and readers are told where to read on', async (t) => {
  const random = seededRandom(announceSeed(t))
  const bed = await openBed(random)
  t.after(() => bed.close())
  const server = await bed.runner.start()
  let runs = 0
  const { started, readers } = await startRuns(server, bed.writer.url, () => `run-${++runs}`)
  await delay(150)
  assert.equal(await server.stop(), 0)
  await Promise.all(readers)
  checkNoSecrets(bed.runner.dataDir)
  const again = await bed.runner.start()
  const until = performance.now() + MAX_HEAL_MS
  for (const run of started) {
    const response = await waitForEnd(again, run.id, until)
    assert.equal(response.status, 'completed', `${run.id} is ${response.status}`)
    await checkRun(again, run, response)
  }
  assert.equal(started.length, STREAMED + POLLED)
  assert.equal(await again.stop(), 0)
  assert.ok([...writesOf(bed.writer).values()].every((count) => count === 1))
  assert.equal(writesOf(bed.writer).size, 2 * started.length)
})

/** The key of the MCP server lies nowhere in the clear, though runs wait that need it. */
function checkNoSecrets(dataDir: string): void {
  for (const { name } of readdirSync(dataDir, { withFileTypes: true }).filter((it) => it.isFile())) {
    assert.ok(!readFileSync(join(dataDir, name)).includes('canary-key'), `${name} holds the key of an MCP server`)
  }
}
