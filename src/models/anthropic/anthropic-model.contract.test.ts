import { completeAt, fixtureTurn, readFixtures } from '../../../test/fakes/anthropic-fixtures.ts'
import { type AnthropicReply, startAnthropicUpstream } from '../../../test/fakes/anthropic-upstream.ts'
import { TEST_CAPABILITIES } from '../../../test/fakes/chat-fixtures.ts'
import { systemClock } from '../../lib/clock.ts'
import { createCountingIds } from '../../lib/ids.ts'
import { DEFAULT_UPSTREAM_CLOCKS } from '../../lib/upstream-http.ts'
import { type ContractCase, type ContractSubject, modelContract } from '../model.contract.ts'
import { createAnthropicModel } from './anthropic-model.ts'

const CASES: readonly ContractCase[] = readFixtures()
  .filter(({ name }) => ['thinking-tool', 'parallel-tools-interleaved', 'citations', 'refusal'].includes(name))
  .map((fixture) => ({
    name: fixture.name,
    turn: fixtureTurn,
    wire: fixture.wire,
    completeAt: completeAt(fixture),
  }))

async function open(): Promise<ContractSubject> {
  let delivery: AnthropicReply = {}
  const upstream = await startAnthropicUpstream({ script: () => delivery })
  const model = createAnthropicModel({
    provider: 'anthropic',
    baseUrl: upstream.url,
    apiKey: 'secret-key',
    model: fixtureTurn.model,
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
modelContract('anthropic messages', { open, cases: [first, ...rest] })
