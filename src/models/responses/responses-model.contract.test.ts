import { TEST_CAPABILITIES } from '../../../test/fakes/chat-fixtures.ts'
import type { ScriptedReply } from '../../../test/fakes/chat-upstream.ts'
import { completeAt, fixtureTurn, readFixtures } from '../../../test/fakes/responses-fixtures.ts'
import { startResponsesUpstream } from '../../../test/fakes/responses-upstream.ts'
import { systemClock } from '../../lib/clock.ts'
import { createCountingIds } from '../../lib/ids.ts'
import { DEFAULT_UPSTREAM_CLOCKS } from '../../lib/upstream-http.ts'
import { type ContractCase, type ContractSubject, modelContract } from '../model.contract.ts'
import { createResponsesModel } from './responses-model.ts'

const CASES: readonly ContractCase[] = readFixtures()
  .filter(({ name }) => ['openai-text', 'openai-reasoning', 'vllm-no-item-done'].includes(name))
  .map((fixture) => ({
    name: fixture.name,
    turn: fixtureTurn(fixture),
    wire: fixture.wire,
    completeAt: completeAt(fixture),
  }))

async function open(): Promise<ContractSubject> {
  let delivery: ScriptedReply = {}
  const upstream = await startResponsesUpstream({ script: () => delivery })
  const model = createResponsesModel({
    provider: 'test',
    baseUrl: upstream.url,
    apiKey: 'secret-key',
    quirks: {},
    capabilities: TEST_CAPABILITIES,
    clocks: DEFAULT_UPSTREAM_CLOCKS,
    clock: systemClock,
    ids: createCountingIds(),
  })
  return {
    model,
    deliver(next) {
      const { status, ...rest } = next
      delivery = status === undefined ? rest : { status }
    },
    calls: () => upstream.requests.length,
    openCalls: () => upstream.requests.filter(({ replied, closedEarly }) => !replied && !closedEarly).length,
    async close() {
      await model.close()
      await upstream.close()
    },
  }
}

const [first, ...rest] = CASES
if (!first) throw new Error('The recorded replies are missing.')
modelContract('responses', { open, cases: [first, ...rest] })
