/** An answer told a second time is a lawful stream and the very same answer. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { replayEvents } from '../../src/engine/replay-response.ts'
import { arbitraryStream, CUSTOM_NAME, FUNCTION_NAME } from '../support/arbitrary-stream.ts'
import { type EngineFixture, openEngine, readAll } from '../support/engine-fixture.ts'
import { type Script, scriptedModel } from '../support/scripted-model.ts'
import { checkRunLaws } from './run-laws.ts'

let script: Script = { batches: [] }
let fixture: EngineFixture
before(async () => {
  const model = scriptedModel([{ batches: [] }])
  fixture = await openEngine({
    capabilities: model.capabilities,
    fields: model.fields,
    countInputTokens: model.countInputTokens,
    stream: (turn, context) => scriptedModel([script]).stream(turn, context),
  })
})
after(() => fixture.close())

test('any answer is replayed as a lawful stream that ends in it (req 191)', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryStream, async ({ batches }) => {
      script = { batches }
      const run = await fixture.engine.createResponse(
        {
          model: 'scripted',
          input: 'Go on.',
          store: false,
          include: ['message.output_text.logprobs', 'reasoning.encrypted_content'],
          tools: [
            { type: 'function', name: FUNCTION_NAME, parameters: { type: 'object', properties: {} } },
            { type: 'custom', name: CUSTOM_NAME },
          ],
        },
        fixture.caller(),
      )
      const told = checkRunLaws(await readAll(run.events))
      assert.deepEqual(checkRunLaws(await readAll(replayEvents(told))), told)
    }),
    { numRuns: 150 },
  )
})
