/** A call that the process did not survive is in the ledger all the same. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { openUsage } from '../../src/app/open-usage.ts'
import { startChatUpstream } from '../fakes/chat-upstream.ts'
import { send } from '../support/http.ts'
import { createCrashRunner } from './crash-runner.ts'

const WAIT_MS = 20_000
const PROMPT = 'Go on for long. '.repeat(50)

test('a call in the middle of which the server is killed stays in the ledger as interrupted, with its cost', async () => {
  const upstream = await startChatUpstream({ script: () => ({ silent: true }) })
  const runner = createCrashRunner(`
providers: { up: { type: openai_compatible, api_base: "${upstream.url}" } }
models:
  - model_name: priced
    deployments: [{ model: up/gpt-test }]
    model_info: { input_cost_per_mtok: 1000, output_cost_per_mtok: 2000 }
`)
  const storage = { dataDir: runner.dataDir, databasePath: join(runner.dataDir, 'antiphon.db') }
  const calls = async () => {
    const admin = await openUsage({ storage })
    try {
      const sums = await admin.sumUsage(0)
      return sums.reduce((count, sum) => count + sum.calls, 0)
    } finally {
      await admin[Symbol.asyncDispose]()
    }
  }
  try {
    const server = await runner.start()
    for (const body of [
      { store: false },
      { store: false, stream: true },
      { store: true },
      { store: true, stream: true },
    ]) {
      send(server, 'POST', '/v1/responses', { model: 'priced', input: PROMPT, ...body }).catch(() => {})
    }
    const deadline = performance.now() + WAIT_MS
    while ((await calls()) < 4) {
      assert.ok(performance.now() < deadline, 'the calls were opened in the ledger while they ran')
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await server.kill()

    const again = await runner.start()
    const admin = await openUsage({ storage })
    const [sum, ...more] = await admin.sumUsage(0)
    assert.deepEqual(more, [])
    assert.equal(sum?.calls, 4)
    assert.equal(sum.unpricedCalls, 0)
    const tokens = PROMPT.length / 4
    assert.ok(sum.inputTokens >= 4 * tokens, `${sum.inputTokens} tokens`)
    assert.ok(Math.abs((sum.costUsd ?? 0) - sum.inputTokens / 1_000) < 1e-9)
    await admin[Symbol.asyncDispose]()
    const { DatabaseSync } = await import('node:sqlite')
    using database = new DatabaseSync(storage.databasePath, { readOnly: true })
    const rows = database.prepare('select distinct outcome, estimated from usage').all()
    assert.deepEqual(
      rows.map((row) => ({ ...row })),
      [{ outcome: 'interrupted', estimated: 1 }],
    )
    await again.kill()
  } finally {
    runner.dispose()
    await upstream.close()
  }
})
