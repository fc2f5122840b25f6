/**
 * Faults of an upstream, by each transport of a call: its caller must get the stated end, in time, after as many calls as
 * are allowed, and each call must leave one usage row.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { after, before, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { loadTokenizer } from '../../src/lib/tokenizer.ts'
import { waitUntil } from '../fakes/chat-upstream.ts'
import type { TestServer } from '../support/server.ts'
import { ask, type Told, TRANSPORTS, type Transport } from './fault-transports.ts'
import { CANARY, type Faults, type HostileFault } from './hostile-fault.ts'
import { type HostileUpstream, startHostileUpstream } from './hostile-upstream.ts'
import { announceSeed, isFull, seededRandom, withinMs } from './seed.ts'
import { readLedger, startFastServer, TIMES } from './upstream-fixture.ts'

const AT_ONCE = 6
/** Beyond the clock that must end a call: for the work itself, on a busy machine. */
const GRACE_MS = withinMs(1_000)
const HUNG_MS = 180_000
const MAX_CALLS = 3
const TOOL = { type: 'function', name: 'weather', parameters: { type: 'object', properties: {} } }
const KEY = 'upstream-secret-key'

type Mode = { readonly transport: Transport; readonly store: boolean }
type Cell = Mode & { readonly fault: HostileFault; readonly model: string }

const MODES: readonly Mode[] = TRANSPORTS.flatMap((transport) => [true, false].map((store) => ({ transport, store })))

export type MatrixOptions = {
  readonly faults: Faults
  /** How the server is led to the API; `more` is YAML. */
  readonly connection: { readonly type: string; readonly path: string; readonly more?: string }
}

/** The tests of one API. `name`: as in "every fault of <name>". */
export function testFaultMatrix(name: string, { faults, connection }: MatrixOptions): void {
  let upstream: HostileUpstream
  let server: TestServer
  before(async () => {
    // It takes its time, once, and the clocks of what runs meanwhile would go on.
    await loadTokenizer()
    upstream = await startHostileUpstream({ play: (model) => faults[model.split('~', 1)[0] ?? '']?.play ?? null })
    const { type, path, more } = connection
    const provider = (its: string, port: number) =>
      `${its}: { type: ${type}, api_base: "http://127.0.0.1:${port}${path}", api_key: ${KEY}${more ? `, ${more}` : ''} }`
    server = await startFastServer(upstream, [
      provider('reached', upstream.port),
      provider('unreached', await unusedPort()),
    ])
  })
  after(async () => {
    await upstream.close()
    await server.close()
  })

  test(`every fault of ${name} has its stated end, by every transport`, (t) =>
    checkFaultMatrix(t, { server, upstream, faults }))

  test(`after all of that nothing of any prototype has changed`, () => {
    assert.equal(Reflect.get({}, 'polluted'), undefined)
  })
}

async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  assert.ok(address !== null && typeof address === 'object')
  return address.port
}

/** All modes of every fault, or one of each, chosen by the seed. */
function cells(seed: number, faults: Faults): Cell[] {
  const random = seededRandom(seed)
  return Object.entries(faults).flatMap(([name, fault]) => {
    if (fault.fullOnly && !isFull) return []
    const chosen = isFull ? MODES : MODES.slice(Math.floor(random() * MODES.length)).slice(0, 1)
    return chosen.map((mode) => ({
      ...mode,
      fault,
      model: `${name}~${mode.transport}-${mode.store ? 'stored' : 'unstored'}`,
    }))
  })
}

type Parts = { readonly server: TestServer; readonly upstream: HostileUpstream }

async function checkFaultMatrix(t: TestContext, { faults, ...parts }: Parts & { faults: Faults }): Promise<void> {
  const all = cells(announceSeed(t), faults)
  const problems: string[] = []
  const late = new Map<string, number>()
  const work = async (rest: Cell[]) => {
    for (let cell = rest.shift(); cell; cell = rest.shift()) {
      const { model } = cell
      await check(cell, parts).then(
        (lateMs) => late.set(model, lateMs),
        (error: unknown) => problems.push(`${model}: ${error}`),
      )
    }
  }
  const isLarge = ({ fault }: Cell) => fault.fullOnly === true
  const quick = all.filter((cell) => !isLarge(cell))
  const large = all.filter(isLarge)
  await Promise.all(Array.from({ length: AT_ONCE }, () => work(quick)))
  // Alone, because they keep this process, which plays all three parts, from looking at the others' clocks.
  await work(large)
  assert.deepEqual(problems, [])
  await waitUntil(() => parts.upstream.busySockets() === 0, GRACE_MS)
  t.diagnostic(`${Object.keys(faults).length} faults, ${all.length} cells, ${parts.upstream.calls()} upstream calls`)
  const [slowest] = [...late].sort(([, a], [, b]) => b - a)
  if (slowest) t.diagnostic(`latest after its clock: ${slowest[0]}, ${Math.round(slowest[1])} ms`)
}

/** Milliseconds from the clock of the fault to the end of the reply. */
async function check(cell: Cell, { server, upstream }: Parts): Promise<number> {
  const { fault, model, transport, store } = cell
  const provider = fault.unreached ? 'unreached' : 'reached'
  const body = { model: `${provider}/${model}`, input: 'Say something.', tools: [TOOL], store }
  const told = await Promise.race([ask(server, transport, body), delay(HUNG_MS, null, { ref: false })])
  assert.ok(told, `no reply within ${HUNG_MS} ms`)
  told.check(fault.outcome)
  checkNothingLeaked(told, upstream)
  await checkCalls(cell, { server, upstream })
  return checkTime(told, fault)
}

function checkTime({ tookMs }: Told, { clock, fullOnly }: HostileFault): number {
  const due = clock === null ? 0 : TIMES[clock]
  assert.ok(tookMs >= due * 0.9, `ended after ${tookMs} ms, before its clock of ${due} ms`)
  // Without a clock of its own a cell ends by itself; the machine may be busy with the others.
  const patience = fullOnly ? 15 : clock === null ? 5 : 1
  assert.ok(tookMs <= due + patience * GRACE_MS, `took ${Math.round(tookMs)} ms, its clock is ${due} ms`)
  return tookMs - due
}

/** What upstreams say in a 5xx, what they leak in a 4xx, and what only the operator knows. */
function checkNothingLeaked({ text }: Told, upstream: HostileUpstream): void {
  for (const secret of [CANARY, 'sk-live', '10.0.0.7', KEY, `127.0.0.1:${upstream.port}`]) {
    assert.ok(!text.includes(secret), `the reply holds ${secret}`)
  }
}

/** As many as are allowed, a usage row for each; the stored response has the end that was told. */
async function checkCalls({ model, store, fault }: Cell, { server, upstream }: Parts): Promise<void> {
  const { outcome } = fault
  const made = fault.unreached ? 1 : upstream.callsOf(model)
  // Nobody waits for the row of a response that is not stored: it may be missing for a moment, or still be open.
  const isThere = ({ outcomes }: { readonly outcomes: readonly string[] }) =>
    outcomes.length >= made && !outcomes.includes('running')
  await waitUntil(() => isThere(readLedger(server, model)))
  const ledger = readLedger(server, model)
  // Calls that did not arrive were counted by nobody else.
  const calls = fault.unreached ? ledger.outcomes.length : made
  assert.ok(fault.calls === 'one' ? calls === 1 : calls >= 1 && calls <= MAX_CALLS, `${calls} upstream calls`)
  const last = outcome.end === 'failed' ? 'failed' : 'completed'
  const expected = Array.from({ length: calls }, (_, index) => (index === calls - 1 ? last : 'failed'))
  assert.deepEqual(ledger.outcomes, expected, 'usage rows')
  assert.equal(ledger.status, store ? outcome.end : null, 'the stored status')
}
