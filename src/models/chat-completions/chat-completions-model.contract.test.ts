import { completeAt, fixtureTurn, readFixtures } from '../../../test/fakes/chat-fixtures.ts'
import { startChatUpstream } from '../../../test/fakes/chat-upstream.ts'
import { openContractSubject } from '../../../test/fakes/contract-subject.ts'
import { type ContractCase, modelContract } from '../model.contract.ts'
import { createChatCompletionsModel } from './chat-completions-model.ts'

const CASES: readonly ContractCase[] = readFixtures()
  .filter(({ name }) => ['openai-text', 'vllm-reasoning-tool', 'interleaved-calls-no-done'].includes(name))
  .map((fixture) => ({
    name: fixture.name,
    turn: fixtureTurn(fixture),
    wire: fixture.wire,
    completeAt: completeAt(fixture),
  }))

const [first, ...rest] = CASES
if (!first) throw new Error('The recorded replies are missing.')
modelContract('chat completions', {
  open: () =>
    openContractSubject({
      start: (script) => startChatUpstream({ script }),
      create: (options) => createChatCompletionsModel({ ...options, quirks: {} }),
    }),
  cases: [first, ...rest],
})
