/** An answer told a second time is a lawful stream and the very same answer. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { retellResponse } from '../../src/engine/replay-response.ts'
import { arbitraryStream } from '../support/arbitrary-stream.ts'
import { readAll } from '../support/engine-fixture.ts'
import { LAW_REQUEST, type LawEngine, openLawEngine } from '../support/law-engine.ts'
import { checkRunLaws } from './run-laws.ts'

let fixture: LawEngine
before(async () => {
  fixture = await openLawEngine()
})
after(() => fixture.close())

test('any answer is replayed as a lawful stream that ends in it (req 191)', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryStream, async ({ batches }) => {
      fixture.play({ batches })
      const run = await fixture.engine.createResponse({ ...LAW_REQUEST, store: false }, fixture.caller())
      const told = checkRunLaws(await readAll(run.events))
      assert.deepEqual(checkRunLaws(await readAll(retellResponse(told))), told)
    }),
    { numRuns: 150 },
  )
})
