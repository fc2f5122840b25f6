import { openContractSubject, SUBJECT_KEY } from '../../../test/fakes/contract-subject.ts'
import { geminiCompleteAt, geminiFixtureTurn, readGeminiFixtures } from '../../../test/fakes/gemini-fixtures.ts'
import { startGeminiUpstream } from '../../../test/fakes/gemini-upstream.ts'
import { type ContractCase, modelContract } from '../model.contract.ts'
import { createGeminiModel } from './gemini-model.ts'

const CASES: readonly ContractCase[] = readGeminiFixtures()
  .filter(({ name }) => ['text', 'thoughts-tool-signature', 'grounding', 'safety-stop'].includes(name))
  .map((fixture) => ({
    name: fixture.name,
    turn: geminiFixtureTurn(fixture),
    wire: fixture.wire,
    completeAt: geminiCompleteAt(fixture),
  }))

const [first, ...rest] = CASES
if (!first || rest.length !== 3) throw new Error('The recorded replies are missing.')
modelContract('gemini', {
  open: () =>
    openContractSubject({
      start: (script) => startGeminiUpstream({ apiKey: SUBJECT_KEY, script }),
      create: createGeminiModel,
    }),
  cases: [first, ...rest],
})
