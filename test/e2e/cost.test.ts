/** What a request cost: in a header, in the metrics, in the ledger with its arithmetic, and on the command line. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openUsage } from '../../src/app/open-usage.ts'
import { costOf, flatRate } from '../../src/protocol/cost.ts'
import { send } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'

const CONFIG = `
models:
  - model_name: priced
    deployments: [{ model: upstream/gpt-test }]
    model_info: { input_cost_per_mtok: 2.5, output_cost_per_mtok: 10, cached_input_cost_per_mtok: 0.25 }
  - model_name: free
    deployments: [{ model: upstream/gpt-free, model_info: { input_cost_per_mtok: 0, output_cost_per_mtok: 0 } }]
  - model_name: unpriced
    deployments: [{ model: upstream/gpt-other }]
`
let server: TestServer
before(async () => {
  server = await startServer({ config: CONFIG })
})
after(() => server.close())

const create = (body: object) => send(server, 'POST', '/v1/responses', { input: 'Say hello.', ...body })
async function rowsOf(responseId: unknown) {
  const storage = { dataDir: server.dataDir, databasePath: join(server.dataDir, 'antiphon.db') }
  const admin = await openUsage({ storage })
  try {
    return await admin.usageOf(String(responseId))
  } finally {
    await admin[Symbol.asyncDispose]()
  }
}

test('the header says what the ledger says, and the ledger says why', async () => {
  const long = 'A long question about rivers. '.repeat(20)
  await create({ model: 'priced', input: long })
  const reply = await create({ model: 'priced', input: long })
  const [row, ...more] = await rowsOf(reply.json.id)
  assert.deepEqual(more, [])
  assert.ok(row?.cost)
  assert.ok(row.usage.input_tokens_details.cached_tokens > 0, 'some of it was cached')
  const sheet = {
    input: flatRate(2.5),
    cachedInput: flatRate(0.25),
    cacheWrite: null,
    output: flatRate(10),
    perCall: 0,
  }
  assert.deepEqual(row.cost, costOf(row.usage, { ...sheet, source: 'configuration' }, row.cost.date))
  assert.deepEqual(
    row.cost.lines.map(({ unit, price }) => [unit, price]),
    [
      ['input', 2.5],
      ['cached_input', 0.25],
      ['output', 10],
    ],
  )
  assert.ok(Math.abs(Number(reply.headers['x-antiphon-cost']) - row.cost.usd) < 1e-9)
})

test('a price of zero is known, a price nobody said is not', async () => {
  const free = await create({ model: 'free' })
  assert.equal(free.headers['x-antiphon-cost'], '0')
  const other = await create({ model: 'unpriced' })
  assert.equal(other.headers['x-antiphon-cost'], undefined)
  assert.equal((await rowsOf(other.json.id))[0]?.cost, null)
})

test('costs are in the metrics, and so is how many calls have none', async () => {
  const { text } = await send(server, 'GET', '/metrics')
  assert.match(text, /^antiphon_cost_usd_total\{provider="upstream",model="gpt-test"\} 0\.\d+$/m)
  assert.match(text, /^antiphon_cost_usd_total\{provider="upstream",model="gpt-free"\} 0$/m)
  assert.match(text, /^antiphon_unpriced_calls_total\{provider="upstream",model="gpt-other"\} 1$/m)
})

test('a call that was refused cost nothing, one that was left cost what was read', async () => {
  server.upstream.push({ status: 400, wire: '{"error":{"message":"no"}}' })
  const refused = await create({ model: 'priced' })
  assert.equal(refused.status, 400)
  assert.equal(refused.headers['x-antiphon-cost'], '0')
})
