/** Faults of an upstream, each in the modes of a call: its caller must get the stated end, in time, and one usage row a call. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { waitUntil } from '../fakes/chat-upstream.ts'
import { framesOf, type Reply, send } from '../support/http.ts'
import type { TestServer } from '../support/server.ts'
import { CANARY, type HostileFault, type Outcome } from './hostile-fault.ts'
import type { HostileUpstream } from './hostile-upstream.ts'
import { announceSeed, isFull, seededRandom, withinMs } from './seed.ts'
import { readLedger, TIMES } from './upstream-fixture.ts'

const AT_ONCE = 6
/** Beyond the clock that must end a call: for the work itself, on a busy machine. */
const GRACE_MS = withinMs(1_000)
const HUNG_MS = 180_000
const MAX_CALLS = 3
const TERMINAL = /^response\.(completed|failed|incomplete)$/
const TOOL = { type: 'function', name: 'weather', parameters: { type: 'object', properties: {} } }

type Mode = { readonly stream: boolean; readonly store: boolean }
type Cell = Mode & { readonly fault: string; readonly model: string }

const MODES: readonly Mode[] = [true, false].flatMap((stream) => [true, false].map((store) => ({ stream, store })))

export type MatrixOptions = {
  readonly server: TestServer
  readonly upstream: HostileUpstream
  /** The name of the connection that leads to the upstream. */
  readonly provider: string
  readonly faults: Readonly<Record<string, HostileFault>>
}

/** All modes of every fault, or one of each, chosen by the seed. */
function cells(seed: number, { faults }: MatrixOptions): Cell[] {
  const random = seededRandom(seed)
  const names = Object.keys(faults).filter((name) => isFull || faults[name]?.fullOnly !== true)
  return names.flatMap((fault) => {
    const chosen = isFull ? MODES : [MODES[Math.floor(random() * MODES.length)] ?? { stream: true, store: true }]
    return chosen.map((mode) => ({
      ...mode,
      fault,
      model: `${fault}~${mode.stream ? 'sse' : 'json'}-${mode.store ? 'stored' : 'unstored'}`,
    }))
  })
}

export async function checkFaultMatrix(t: TestContext, options: MatrixOptions): Promise<void> {
  const { upstream, faults } = options
  const all = cells(announceSeed(t), options)
  const problems: string[] = []
  const work = async (rest: Cell[]) => {
    for (let cell = rest.shift(); cell; cell = rest.shift()) {
      await check(cell, options).catch((error: unknown) => problems.push(`${cell.model}: ${error}`))
    }
  }
  const isLarge = ({ fault }: Cell) => faults[fault]?.fullOnly === true
  const quick = all.filter((cell) => !isLarge(cell))
  await Promise.all(Array.from({ length: AT_ONCE }, () => work(quick)))
  // Alone, because they keep this process, which plays all three parts, from looking at the others' clocks.
  await work(all.filter(isLarge))
  assert.deepEqual(problems, [])
  await waitUntil(() => upstream.busySockets() === 0, GRACE_MS)
  t.diagnostic(`${all.length} cells, ${upstream.calls()} upstream calls`)
}

async function check(cell: Cell, { server, upstream, provider, faults }: MatrixOptions): Promise<void> {
  const { fault, model, stream, store } = cell
  const hostile = faults[fault]
  assert.ok(hostile)
  const began = performance.now()
  const body = { model: `${provider}/${model}`, input: 'Say something.', tools: [TOOL], stream, store }
  const reply = await Promise.race([send(server, 'POST', '/v1/responses', body), delay(HUNG_MS, null, { ref: false })])
  assert.ok(reply, `no reply within ${HUNG_MS} ms`)
  const took = performance.now() - began
  if (stream) checkStream(reply, hostile.outcome)
  else checkJson(reply, hostile.outcome)
  checkNothingLeaked(reply, upstream)
  checkTime(took, hostile)
  const calls = upstream.callsOf(model)
  assert.ok(hostile.calls === 'one' ? calls === 1 : calls >= 1 && calls <= MAX_CALLS, `${calls} upstream calls`)
  await checkLedger(cell, calls, { server, outcome: hostile.outcome })
}

function checkTime(took: number, { clock, fullOnly }: HostileFault): void {
  const due = clock === null ? 0 : TIMES[clock]
  assert.ok(took >= due * 0.9, `ended after ${took} ms, before its clock of ${due} ms`)
  // Without a clock of its own a cell ends by itself; the machine may be busy with the others.
  const patience = fullOnly ? 15 : clock === null ? 5 : 2
  assert.ok(took <= due + patience * GRACE_MS, `took ${Math.round(took)} ms, its clock is ${due} ms`)
}

function checkJson(reply: Reply, outcome: Outcome): void {
  if (outcome.end !== 'failed') {
    assert.equal(reply.status, 200, reply.text.slice(0, 300))
    checkAnswer(reply.json, outcome)
    return
  }
  assert.equal(reply.status, outcome.status, reply.text.slice(0, 300))
  const error = reply.json.error as Record<string, unknown>
  assert.deepEqual(Object.keys(error).sort(), ['code', 'message', 'param', 'type'])
  assert.equal(error.code, outcome.code)
  assert.match(String(reply.headers['x-request-id']), /^req_/)
  if (outcome.status >= 500) assert.equal(reply.headers['x-should-retry'], 'false')
  if (outcome.status === 429) assert.equal(reply.headers['x-should-retry'], 'true')
}

function checkStream(reply: Reply, outcome: Outcome): void {
  assert.equal(reply.status, 200)
  const frames = framesOf(reply.text)
  assert.equal(frames.at(-1)?.data, '[DONE]')
  assert.equal(frames.filter(({ data }) => data === '[DONE]').length, 1)
  const terminals = frames.filter((frame) => TERMINAL.test(frame.event ?? ''))
  assert.equal(terminals.length, 1, 'terminal events')
  assert.equal(frames.at(-2), terminals[0])
  assert.equal(terminals[0]?.event, `response.${outcome.end}`)
  const events = frames.slice(0, -1).map(({ data }) => JSON.parse(data))
  assert.deepEqual(
    events.map((event) => event.sequence_number),
    events.map((_, index) => index),
  )
  checkAnswer(events.at(-1).response, outcome)
}

function checkAnswer(response: Record<string, unknown>, outcome: Outcome): void {
  assert.equal(response.status, outcome.end)
  const output = response.output as { status: string; content?: { text?: string }[] }[]
  for (const item of output) assert.notEqual(item.status, 'in_progress')
  if (outcome.end === 'failed') {
    const { code } = response.error as { code: string }
    assert.equal(code, outcome.status === 429 ? 'rate_limit_exceeded' : 'server_error')
    return
  }
  if (outcome.text !== undefined) assert.equal(output.at(-1)?.content?.[0]?.text, outcome.text)
  const usage = response.usage as Record<string, number>
  for (const field of ['input_tokens', 'output_tokens', 'total_tokens']) {
    assert.ok(Number.isSafeInteger(usage[field]) && (usage[field] ?? -1) >= 0, `${field} is ${usage[field]}`)
  }
}

/** What upstreams say in a 5xx, what they leak in a 4xx, and what only the operator knows. */
function checkNothingLeaked(reply: Reply, upstream: HostileUpstream): void {
  const told = `${JSON.stringify(reply.headers)}${reply.text}`
  for (const secret of [CANARY, 'sk-live', '10.0.0.7', 'upstream-secret-key', `127.0.0.1:${upstream.port}`]) {
    assert.ok(!told.includes(secret), `the reply holds ${secret}`)
  }
}

/** A row for each upstream call; the stored response has the end that was told. */
async function checkLedger(
  { model, store }: Cell,
  calls: number,
  { server, outcome }: { readonly server: TestServer; readonly outcome: Outcome },
): Promise<void> {
  // Nobody waits for the row of a response that is not stored: it may be missing for a moment, or still be open.
  const isThere = ({ outcomes }: { readonly outcomes: readonly string[] }) =>
    outcomes.length >= calls && !outcomes.includes('running')
  await waitUntil(() => isThere(readLedger(server, model)))
  const ledger = readLedger(server, model)
  const last = outcome.end === 'failed' ? 'failed' : 'completed'
  const expected = Array.from({ length: calls }, (_, index) => (index === calls - 1 ? last : 'failed'))
  assert.deepEqual(ledger.outcomes, expected, 'usage rows')
  assert.equal(ledger.status, store ? outcome.end : null, 'the stored status')
}
