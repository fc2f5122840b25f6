import { completeAt, createTestModel, fixtureTurn, readFixtures } from '../../../test/fakes/anthropic-fixtures.ts'
import { type AnthropicReply, startAnthropicUpstream } from '../../../test/fakes/anthropic-upstream.ts'
import { type ContractCase, type ContractSubject, modelContract } from '../model.contract.ts'

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
  const model = createTestModel(upstream.url)
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
