/** Whatever a model says and whenever its process dies: the log is a lawful stream, from any cursor, and no call is made twice. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import type { FinishedCall } from '../../src/tools/tool.ts'
import { arbitraryStream } from '../support/arbitrary-stream.ts'
import { dyingJobs, takeOver } from '../support/dying-jobs.ts'
import { readAll } from '../support/engine-fixture.ts'
import { LAW_REQUEST, type LawEngine, openLawEngine } from '../support/law-engine.ts'
import { checkRunLaws } from './run-laws.ts'

let fixture: LawEngine
before(async () => {
  fixture = await openLawEngine()
})
after(() => fixture.close())

const control = () => ({ abort: new AbortController(), isPausing: () => false })
const idsOf = (calls: readonly FinishedCall[]) => calls.map(({ callId }) => callId)

test('laws 2 to 6, 8, 12, 19 and 20 hold for any stream and any deaths of its process (req 166)', async () => {
  let deaths = 0
  await fc.assert(
    fc.asyncProperty(
      arbitraryStream,
      fc.array(fc.nat(9), { maxLength: 2 }),
      fc.boolean(),
      fc.array(fc.nat(6)),
      async ({ batches }, dies, kept, steps) => {
        fixture.play({ batches })
        fixture.fare(steps)
        const before = new Set(fixture.calls())
        const run = await fixture.engine.createResponse(
          { ...LAW_REQUEST, background: true, stream: true },
          fixture.caller(),
        )
        const { jobs } = fixture.store
        for (const deathAt of dies) {
          const { response } = await current(run.responseId)
          if (response.status !== 'queued' && response.status !== 'in_progress') break
          fixture.swapJobs(dyingJobs(jobs, deathAt + 1, kept).jobs)
          await fixture.engine.runJob(await takeOver(fixture), control())
          deaths += 1
        }
        fixture.swapJobs(null)
        const { response: left } = await current(run.responseId)
        if (left.status === 'queued' || left.status === 'in_progress')
          await fixture.engine.runJob(await takeOver(fixture), control())
        const log = await readAll(run.events)
        const { response } = await current(run.responseId)
        assert.deepEqual(checkRunLaws(log), response)
        const cursor = Math.floor(log.length / 2)
        const rest = await readAll(await fixture.engine.streamResponse(run.responseId, cursor, fixture.caller()))
        assert.deepEqual(rest, log.slice(cursor + 1))
        const made = idsOf(fixture.calls().filter((call) => !before.has(call)))
        assert.equal(new Set(made).size, made.length, 'a call was made twice')
      },
    ),
    { numRuns: 100 },
  )
  assert.ok(deaths > 20, `${deaths} deaths`)
})

const current = async (id: string) => ({ response: await fixture.engine.getResponse(id, fixture.caller()) })
