/** Programs of background runs whose process dies: they are run again, and what they had called is not. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { checkRunLaws } from '../../../test/laws/run-laws.ts'
import { MB, NO_SANDBOX } from '../../../test/support/code-sandbox.ts'
import { control, eachDeath, takeOver } from '../../../test/support/dying-jobs.ts'
import { readAll } from '../../../test/support/engine-fixture.ts'
import { finish, type Script, saying, scriptedModel } from '../../../test/support/scripted-model.ts'
import { CODE_NAME, scriptedCodeTool } from '../../../test/support/scripted-tool.ts'
import { systemClock } from '../../lib/clock.ts'
import type { CreateResponseRequest } from '../../protocol/request.ts'
import { createBubblewrapPrograms } from '../../sandbox/bubblewrap/programs/bubblewrap-programs.ts'
import { createFunctionTool } from '../../tools/function/function-tool.ts'
import { createProgramTool } from './program-tool.ts'

/** Of a call whose end nobody knows it is told so, as a model is. */
const CODE = `const call = (n) => tools.${CODE_NAME}({ n }).catch((error) => error.message)
const pair = await Promise.all([1, 2].map(call))
text([...pair, await call(3)].length)`
const WRITES: Script = {
  batches: [
    [{ type: 'call-start', id: 'c', kind: 'function', callId: null, name: 'programmatic_tool_calling' }],
    [{ type: 'call-delta', id: 'c', delta: JSON.stringify({ code: CODE }) }],
    [{ type: 'call-end', id: 'c' }, finish('tool_calls')],
  ],
}
const REQUEST: CreateResponseRequest = {
  model: 'scripted',
  input: 'Go on.',
  background: true,
  stream: true,
  store: true,
  tools: [
    { type: 'programmatic_tool_calling' },
    { type: 'function', name: CODE_NAME, allowed_callers: ['programmatic'] },
  ],
}

describe('programs of background runs', { skip: NO_SANDBOX }, () => {
  const sandbox = createBubblewrapPrograms({
    clock: systemClock,
    secret: `secret-${process.pid}`,
    bubblewrap: null,
    node: process.execPath,
    limits: { wallMs: 10_000, cpuMs: 10_000, memoryBytes: 256 * MB, outputBytes: 10_000 },
    atOnce: 4,
  })
  after(() => sandbox.close())

  const createWorld = () => {
    const code = scriptedCodeTool()
    const model = {
      ...scriptedModel([]),
      stream: (...[turn, context]: Parameters<ReturnType<typeof scriptedModel>['stream']>) => {
        const isOver = turn.items.some(({ type }) => type === 'function_call_output')
        return scriptedModel([isOver ? saying('Done.') : WRITES]).stream(turn, context)
      },
    }
    return { code, model, tools: [createProgramTool(sandbox), code, createFunctionTool()] }
  }

  test('whichever write its process dies after, a program ends as if it had not, and calls nothing twice (req 166)', async (t) => {
    let deaths = 0
    const how = { isWritten: true }
    await eachDeath(createWorld, REQUEST, how, async ({ world, fixture, responseId, deathAt, isEnded }) => {
      const { code } = world
      if (!isEnded) {
        deaths += 1
        await fixture.engine.runJob(await takeOver(fixture), control())
      }
      const events = await readAll(await fixture.engine.streamResponse(responseId, -1, fixture.caller()))
      const response = checkRunLaws(events)
      assert.equal(response.status, 'completed', `death ${deathAt}`)
      const types = response.output.map(({ type }) => type)
      const called = ['code_interpreter_call', 'code_interpreter_call', 'code_interpreter_call']
      assert.deepEqual(types, ['program', ...called, 'program_output', 'message'], `death ${deathAt}`)
      assert.ok(code.calls.length <= 3, `death ${deathAt}: ${code.calls.length} calls of three`)
      for (const item of response.output) if (item.type === 'program_output') assert.equal(item.result, '3')
    })
    assert.ok(deaths >= 6, `${deaths} deaths`)
    t.diagnostic(`${deaths} deaths`)
  })
})
