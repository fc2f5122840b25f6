import { createBridgedOpenAi } from '../../../test/fakes/bridge-subject.ts'
import { completeAt, fixtureTurn, readFixtures } from '../../../test/fakes/chat-fixtures.ts'
import { startChatUpstream } from '../../../test/fakes/chat-upstream.ts'
import { openContractSubject } from '../../../test/fakes/contract-subject.ts'
import { type ContractCase, modelContract } from '../model.contract.ts'

const NAMES = ['openai-text', 'openai-parallel-tools', 'openai-refusal']
const CASES: readonly ContractCase[] = NAMES.flatMap((name) => readFixtures().filter((it) => it.name === name)).map(
  (fixture) => ({
    name: fixture.name,
    turn: fixtureTurn(fixture),
    wire: fixture.wire,
    completeAt: completeAt(fixture),
  }),
)

const [first, ...rest] = CASES
if (!first || rest.length !== 2) throw new Error('The recorded replies are missing.')
modelContract('the AI SDK bridge', {
  open: () => openContractSubject({ start: (script) => startChatUpstream({ script }), create: createBridgedOpenAi }),
  cases: [first, ...rest],
})
