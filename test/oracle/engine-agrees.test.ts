/** What the engine really sends, against the SDK's types. */
import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { isTerminal, toPublicEvent } from '../../src/engine/run-event.ts'
import { arbitraryStream, CUSTOM_NAME, FUNCTION_NAME } from '../support/arbitrary-stream.ts'
import { openEngine, readAll } from '../support/engine-fixture.ts'
import { scriptedModel } from '../support/scripted-model.ts'
import { assertSdkEvent, assertSdkItemList, assertSdkResponse } from './sdk-oracle.ts'

const TOOLS = [
  { type: 'function' as const, name: FUNCTION_NAME },
  { type: 'custom' as const, name: CUSTOM_NAME },
]

test('every event, Response and item list of any run is one of the SDK (req 1, 60, 98)', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryStream, async ({ batches }) => {
      const { engine, caller, close } = await openEngine(scriptedModel([{ batches }]))
      try {
        const request = { model: 'm', input: 'hi', tools: TOOLS, include: ['message.output_text.logprobs' as const] }
        const run = await engine.createResponse(request, caller())
        const events = await readAll(run.events)
        for (const event of events) assertSdkEvent(toPublicEvent(event))
        const last = events.at(-1)
        assert.ok(last && isTerminal(last))
        assertSdkResponse(last.response)
        assertSdkResponse(await engine.getResponse(run.responseId, caller()))
        const page = { limit: 20, order: 'desc', after: null, include: [] } as const
        assertSdkItemList(await engine.listInputItems(run.responseId, page, caller()))
      } finally {
        await close()
      }
    }),
    { numRuns: 25 },
  )
})
