/** Background runs whose process dies: what was kept stays, what was seen stays, and no tool is called twice. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkRunLaws } from '../../test/laws/run-laws.ts'
import { control, eachDeath, takeOver } from '../../test/support/dying-jobs.ts'
import { type EngineFixture, openEngine, readAll } from '../../test/support/engine-fixture.ts'
import { finish, type Script, saying, scriptedModel } from '../../test/support/scripted-model.ts'
import { CODE_NAME, SEARCH_NAME, scriptedCodeTool, scriptedSearchTool } from '../../test/support/scripted-tool.ts'
import type { ModelEvent } from '../models/model.ts'
import type { CreateResponseRequest } from '../protocol/request.ts'
import { createFunctionTool } from '../tools/function/function-tool.ts'
import { RunAbort } from './engine.ts'
import type { RunEvent } from './run-event.ts'
import { MAX_RERUNS } from './run-job.ts'

const REQUEST: CreateResponseRequest = {
  model: 'scripted',
  input: 'Go on.',
  background: true,
  stream: true,
  store: true,
  include: ['reasoning.encrypted_content'],
  tools: [
    { type: 'function', name: CODE_NAME },
    { type: 'function', name: SEARCH_NAME },
  ],
}

const calling = (...names: string[]): Script => ({
  batches: [
    [{ type: 'reasoning-start', id: 'r' }],
    [{ type: 'reasoning-delta', id: 'r', kind: 'text', part: 0, delta: 'I need a tool.' }],
    [{ type: 'reasoning-end', id: 'r', state: 'signed' }],
    ...names.map((name, index): ModelEvent[] => [
      { type: 'call-start', id: `c${index}`, kind: 'function', callId: null, name },
      { type: 'call-delta', id: `c${index}`, delta: `{"n":${index}}` },
      { type: 'call-end', id: `c${index}` },
    ]),
    [finish('tool_calls')],
  ],
})
const SCRIPTS = [calling(CODE_NAME, SEARCH_NAME), calling(CODE_NAME), saying('All ', 'is ', 'done', '.')]

/** The model goes by what it is shown, as a real one does: its n-th answer follows n - 1 turns of its own. */
function createWorld() {
  const code = scriptedCodeTool()
  const search = { ...scriptedSearchTool(), isRepeatable: true }
  const outputs = (items: readonly { readonly type: string }[]) =>
    items.filter(({ type }) => type === 'function_call_output').length
  const turnOf = [0, 0, 1, 2]
  const model = {
    ...scriptedModel([]),
    stream: (...[turn, context]: Parameters<ReturnType<typeof scriptedModel>['stream']>) =>
      scriptedModel([SCRIPTS[turnOf[outputs(turn.items)] ?? 0] ?? saying('?')]).stream(turn, context),
  }
  return { code, search, model, tools: [code, search, createFunctionTool()] }
}

const readLog = async (fixture: EngineFixture, id: string, after = -1): Promise<RunEvent[]> =>
  readAll(await fixture.engine.streamResponse(id, after, fixture.caller()))

test('a run that nobody disturbs keeps its events as every run tells them', async (t) => {
  const { tools, model } = createWorld()
  const fixture = await openEngine(model, { tools })
  t.after(() => fixture.close())
  const run = await fixture.engine.createResponse(REQUEST, fixture.caller())
  assert.equal(run.queued?.status, 'queued')
  await fixture.engine.runJob(await takeOver(fixture), control())
  const events = await readAll(run.events)
  const response = checkRunLaws(events)
  assert.equal(response.status, 'completed')
  assert.equal(response.output_text, 'All is done.')
  assert.deepEqual(await fixture.store.forProject('proj_a').getResponse(run.responseId), response)
})

for (const isWritten of [false, true]) {
  test(`whichever write a process dies ${isWritten ? 'after' : 'before'}, the run ends as if it had not, and calls no tool twice (req 166)`, async (t) => {
    let deaths = 0
    await eachDeath(createWorld, REQUEST, { isWritten }, async ({ world, fixture, responseId, deathAt, isEnded }) => {
      const { code, search } = world
      if (!isEnded) {
        deaths += 1
        const again = await takeOver(fixture)
        assert.equal(again.wasSeen, false)
        await fixture.engine.runJob(again, control())
      }
      const response = checkRunLaws(await readLog(fixture, responseId))
      assert.equal(response.status, 'completed', `death ${deathAt}`)
      assert.equal(response.output_text, 'All is done.')
      assert.ok(code.calls.length <= 2, `death ${deathAt}: ${code.calls.length} calls of two`)
      assert.ok(search.calls.length <= 2, 'what may be called again is called again once at most')
      assert.deepEqual(await fixture.store.forProject('proj_a').getResponse(responseId), response)
    })
    assert.ok(deaths >= 8, `${deaths} deaths`)
    t.diagnostic(`${deaths} deaths`)
  })
}

test('a run that is cancelled as soon as another process has it ends behind what was told', async () => {
  const statuses: string[] = []
  await eachDeath(createWorld, REQUEST, { isWritten: true }, async ({ fixture, responseId, isEnded }) => {
    if (isEnded) return
    const again = await takeOver(fixture)
    const cancelled = control()
    cancelled.abort.abort(new RunAbort('cancelled'))
    await fixture.engine.runJob(again, cancelled)
    const events = await readLog(fixture, responseId)
    statuses.push(checkRunLaws(events).status)
    assert.ok(events.length > again.boundary + 1, 'what was told is kept')
  })
  // After the last writes nothing was left to be done but to say that it was.
  assert.match(statuses.join(' '), /^(cancelled ){8,}(completed ?){1,2}$/)
})

test('a call of which nobody knows how it ended is not made again, and the model is told so', async (t) => {
  const { tools, model, code } = createWorld()
  const fixture = await openEngine(model, { tools })
  t.after(() => fixture.close())
  const run = await fixture.engine.createResponse(REQUEST, fixture.caller())
  const job = await takeOver(fixture)
  const first = control()
  // It dies in the middle of the call.
  const dead = new Promise<void>((resolve) => {
    const { execute } = code
    code.execute = async function* (call, context) {
      code.execute = execute
      code.calls.concat(call)
      resolve()
      await new Promise((over) => context.signal.addEventListener('abort', over, { once: true }))
      yield* []
      throw new Error('dead')
    }
  })
  const running = fixture.engine.runJob(job, first)
  await dead
  first.abort.abort(new RunAbort('let-go'))
  await running
  await fixture.engine.runJob(await takeOver(fixture), control())
  const response = checkRunLaws(await readLog(fixture, run.responseId))
  assert.equal(response.status, 'completed')
  const calls = response.output.filter(({ type }) => type === 'code_interpreter_call')
  assert.deepEqual(
    calls.map((item) => 'status' in item && item.status),
    ['incomplete', 'completed'],
  )
  assert.equal(code.calls.length, 1, 'the one that died was not made again')
})

test('what somebody has seen of a step that was cut off stays, and the response ends as failed', async (t) => {
  const stuck: Script = {
    batches: saying('one ', 'two ', 'three').batches,
    before: (index) => (index === 3 ? new Promise(() => {}) : undefined),
  }
  const fixture = await openEngine(scriptedModel([stuck]))
  t.after(() => fixture.close())
  const run = await fixture.engine.createResponse({ ...REQUEST, tools: [] }, fixture.caller())
  void fixture.engine.runJob(await takeOver(fixture), control())
  const told: RunEvent[] = []
  for await (const batch of run.events) {
    told.push(...batch)
    if (batch.some((event) => event.type === 'response.output_text.delta' && event.delta === 'two ')) break
  }
  await fixture.engine.runJob(await takeOver(fixture), control())
  const log = await readLog(fixture, run.responseId)
  assert.deepEqual(log.slice(0, told.length), told)
  const response = checkRunLaws(log)
  assert.equal(response.status, 'failed')
  assert.equal(response.error?.code, 'server_error')
  assert.equal(response.output_text, 'one two ')
  assert.deepEqual(await readLog(fixture, run.responseId, told.length - 1), log.slice(told.length))
})

test('a step that kills its process again and again is given up', async (t) => {
  const stuck: Script = { batches: saying('never').batches, before: () => new Promise(() => {}) }
  const fixture = await openEngine(scriptedModel([stuck]))
  t.after(() => fixture.close())
  const run = await fixture.engine.createResponse({ ...REQUEST, tools: [] }, fixture.caller())
  for (let death = 0; death <= MAX_RERUNS; death += 1) {
    void fixture.engine.runJob(await takeOver(fixture), control())
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal((await fixture.engine.getResponse(run.responseId, fixture.caller())).status, 'in_progress')
  }
  await fixture.engine.runJob(await takeOver(fixture), control())
  const response = checkRunLaws(await readLog(fixture, run.responseId))
  assert.equal(response.status, 'failed')
  assert.match(String(response.error?.message), /3 times/)
})
