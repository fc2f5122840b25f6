import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takeOver } from '../../test/support/dying-jobs.ts'
import { openEngine, readAll } from '../../test/support/engine-fixture.ts'
import { type Script, saying, scriptedModel } from '../../test/support/scripted-model.ts'
import { ModelError } from '../models/model.ts'
import { StorageBusy } from '../store/sql/errors.ts'
import type { Store } from '../store/store.ts'

/** Refuses the n-th write to a job, once. */
const refusing = (at: number) => {
  let writes = 0
  return (store: Store): Store => ({
    ...store,
    jobs: {
      ...store.jobs,
      async write(lease, progress) {
        writes += 1
        if (writes === at) throw new StorageBusy()
        await store.jobs.write(lease, progress)
      },
    },
  })
}

/** It ends by itself right behind its last write, so that nothing waits for that. */
const BREAKING: Script = {
  ...saying('All ', 'is ', 'done.'),
  failAt: { index: 3, error: new ModelError('unavailable', 'it is gone') },
}
const REQUEST = { model: 'scripted', input: 'Go on.', background: true, stream: true, store: true } as const

test('a run one of whose writes was refused writes no end behind the gap; whoever takes it tells all of it', async (t) => {
  for (let at = 1; at <= 6; at++) {
    const fixture = await openEngine(scriptedModel([BREAKING]), { wrapStore: refusing(at) })
    t.after(() => fixture.close())
    const run = await fixture.engine.createResponse(REQUEST, fixture.caller())
    for (;;) {
      const { status } = await fixture.engine.getResponse(run.responseId, fixture.caller())
      if (status === 'failed') break
      await fixture.engine.runJob(await takeOver(fixture), { abort: new AbortController(), isPausing: () => false })
    }
    const events = await readAll(await fixture.engine.streamResponse(run.responseId, -1, fixture.caller()))
    assert.deepEqual(
      events.map(({ sequence_number }) => sequence_number),
      events.map((_, index) => index),
      `write ${at}`,
    )
    assert.equal(events.at(-1)?.type, 'response.failed', `write ${at}`)
  }
})
