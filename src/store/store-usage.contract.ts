/** The ledger: rows are opened, closed once, interrupted by a restart, and summed up. */
import assert from 'node:assert/strict'
import type { Cost } from '../protocol/cost.ts'
import type { UsageRow } from './store.ts'
import { type Law, START_SECONDS, usageRow } from './store-fixtures.contract.ts'

const COST: Cost = {
  usd: 0.25,
  lines: [{ unit: 'input', quantity: 1_000, price: 250, usd: 0.25 }],
  source: 'configuration',
  date: '2025-06-15',
}
const open = (id: string): UsageRow => ({
  ...usageRow(id, 'resp_1'),
  outcome: 'running',
  estimated: true,
  durationMs: 0,
})

export function usageContract(law: Law): void {
  law('a row that was opened is closed with what came of the call, once', async ({ project, peer }) => {
    await project.openUsage([open('use_1')])
    assert.deepEqual(await peer.usageOf('resp_1'), [open('use_1')])
    const closed = { ...usageRow('use_1', 'resp_1'), cost: COST }
    await project.recordUsage([closed])
    await project.recordUsage([{ ...closed, outcome: 'failed', cost: null }])
    assert.deepEqual(await peer.usageOf('resp_1'), [closed])
  })

  law('a row that is opened and closed at once is closed', async ({ project, store }) => {
    const closed = usageRow('use_1', 'resp_1')
    await Promise.all([project.openUsage([open('use_1'), open('use_2')]), project.recordUsage([closed])])
    assert.deepEqual(await store.usageOf('resp_1'), [closed, open('use_2')])
  })

  law('rows a dead process left open are interrupted, and stay so', async ({ project, store, heir }) => {
    await project.openUsage([open('use_1')])
    await project.recordUsage([usageRow('use_2', 'resp_1')])
    await (await heir()).failOrphans({ code: 'server_error', message: 'the server stopped' })
    await project.recordUsage([usageRow('use_1', 'resp_1')])
    const outcomes = (await store.usageOf('resp_1')).map(({ id, outcome }) => [id, outcome])
    assert.deepEqual(outcomes, [
      ['use_1', 'interrupted'],
      ['use_2', 'completed'],
    ])
  })

  law('sums add up by day, project, key, provider and model, and what is unknown stays so', async ({ store }) => {
    const priced = { ...usageRow('use_1', 'resp_1'), cost: COST }
    await store
      .forProject('proj_a')
      .recordUsage([
        priced,
        { ...priced, id: 'use_2' },
        usageRow('use_3', 'resp_2'),
        { ...priced, id: 'use_4', createdAt: START_SECONDS + 86_400 },
        { ...priced, id: 'use_0', createdAt: START_SECONDS - 86_400 },
        { ...usageRow('use_5', 'resp_3'), model: 'other' },
      ])
    await store.forProject('proj_b').recordUsage([priced])
    const sums = await store.sumUsage(START_SECONDS)
    const { input_tokens: input, output_tokens: output, input_tokens_details: details } = priced.usage
    const sum = (calls: number, change: object) => ({
      day: '2025-06-15',
      projectId: 'proj_a',
      keyId: priced.keyId,
      provider: 'demo',
      model: 'demo',
      calls,
      inputTokens: calls * input,
      cachedTokens: calls * details.cached_tokens,
      outputTokens: calls * output,
      costUsd: null,
      unpricedCalls: 0,
      ...change,
    })
    assert.deepEqual(sums, [
      sum(3, { costUsd: 0.5, unpricedCalls: 1 }),
      sum(1, { model: 'other', unpricedCalls: 1 }),
      sum(1, { projectId: 'proj_b', costUsd: 0.25 }),
      sum(1, { day: '2025-06-16', costUsd: 0.25 }),
    ])
  })
}
