/** What a run does to its conversation when something goes wrong; the way it goes well is tested over HTTP. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type EngineFixture, openEngine, readAll } from '../../test/support/engine-fixture.ts'
import { finish, type Script, saying, scriptedModel } from '../../test/support/scripted-model.ts'
import type { Model } from '../models/model.ts'
import { ModelError } from '../models/model.ts'
import type { ProjectStore, Store } from '../store/store.ts'
import { RunAbort } from './engine.ts'

let script: Script = saying('Hello.')
let failEnds = 0
const scripted = scriptedModel([saying('Hello.')])
const model: Model = {
  capabilities: scripted.capabilities,
  fields: scripted.fields,
  countInputTokens: scripted.countInputTokens,
  stream: (turn, context) => scriptedModel([script]).stream(turn, context),
}

/** Refuses as many ends as `failEnds` says. */
const wrapStore = (store: Store): Store => ({
  ...store,
  forProject(projectId): ProjectStore {
    const project = store.forProject(projectId)
    return {
      ...project,
      finishResponse: async (...args) => {
        if (failEnds-- > 0) throw new Error('disk full')
        return project.finishResponse(...args)
      },
    }
  },
})

let fixture: EngineFixture
before(async () => {
  fixture = await openEngine(model, { wrapStore, settings: { chainLimits: { maxResponses: 10, maxBytes: 2_000 } } })
})
after(() => fixture.close())

const caller = () => fixture.caller()
const conversations = () => fixture.engine.conversations
const open = async () => (await conversations().create({}, caller())).id

async function say(conversation: string, next: Script, signal?: AbortSignal) {
  script = next
  const request = { model: 'm', conversation, input: 'Hi.' }
  const run = await fixture.engine.createResponse(request, fixture.caller(signal ? { signal } : {}))
  return (await readAll(run.events)).at(-1)
}
async function count(id: string) {
  const page = { limit: 100, order: 'asc' as const, after: null, include: [] }
  return (await conversations().listItems(id, page, caller())).data.length
}

for (const [how, next] of Object.entries({
  'fails at once': { batches: [], failAt: { index: 0, error: new ModelError('unavailable', 'down') } },
  'fails in the middle': { ...saying('a', 'b'), failAt: { index: 2, error: new ModelError('connection', 'cut') } },
})) {
  test(`a run that ${how} appends nothing and leaves the conversation free (req 55)`, async () => {
    const id = await open()
    assert.equal((await say(id, next))?.type, 'run.failed')
    assert.equal(await count(id), 0)
    assert.equal((await say(id, saying('Hello.')))?.type, 'response.completed')
    assert.equal(await count(id), 2)
  })
}

test('a run that is stopped appends nothing and leaves the conversation free (req 55)', async () => {
  const id = await open()
  for (const kind of ['reader-gone', 'cancelled', 'shutdown', 'deadline'] as const) {
    const abort = new AbortController()
    const next = { ...saying('a', 'b'), before: (index: number) => index === 1 && abort.abort(new RunAbort(kind)) }
    const end = await say(id, { ...next, before: (index) => void next.before(index) }, abort.signal)
    assert.ok(end?.type === 'run.failed' || end?.type === 'run.cancelled', kind)
  }
  assert.equal(await count(id), 0)
  assert.equal((await say(id, saying('Hello.')))?.type, 'response.completed')
})

test('a run that ends at its token limit appends what it has, calls that were cut off included (req 55)', async () => {
  const id = await open()
  const cut: Script = {
    batches: [[{ type: 'text-start', id: 't' }, { type: 'text-delta', id: 't', delta: 'Well' }, finish('length')]],
  }
  assert.equal((await say(id, cut))?.type, 'response.incomplete')
  assert.equal(await count(id), 2)
  assert.equal((await say(id, saying('Hello.')))?.type, 'response.completed')
})

test('an answer that cannot be stored is told as failed and appends nothing (req 55)', async () => {
  const id = await open()
  failEnds = 1
  assert.equal((await say(id, saying('Hello.')))?.type, 'run.failed')
  assert.equal(await count(id), 0)
  assert.equal((await say(id, saying('Hello.')))?.type, 'response.completed')
})

test('a run whose lock went to somebody else is told as failed and appends nothing (req 56)', async () => {
  const id = await open()
  const { conversations: locks } = fixture.store.forProject('proj_a')
  const takeOver = async (index: number) => {
    if (index !== 1) return
    await fixture.store.failOrphans({ code: 'server_error', message: 'stopped' })
    assert.equal(await locks.lock(id, 'lock_of_another', 15_000), 'locked')
  }
  const end = await say(id, { ...saying('a', 'b'), before: takeOver })
  assert.equal(end?.type, 'run.failed')
  assert.deepEqual(end.error.toBody().error.code, 'conversation_locked')
  assert.equal(await count(id), 0)
  await assert.rejects(say(id, saying('Hello.')), { code: 'conversation_locked' }, 'the other one still holds it')
  await locks.unlock(id, 'lock_of_another')
  assert.equal((await say(id, saying('Hello.')))?.type, 'response.completed')
})

test('a conversation beyond the bytes a chain may have is refused by its size, before a model is called', async () => {
  const id = await open()
  const long = { role: 'user' as const, content: 'x'.repeat(3_000) }
  await conversations().addItems(id, { items: [long] }, [], caller())
  await assert.rejects(say(id, saying('Hello.')), {
    status: 400,
    param: 'conversation',
    code: 'context_length_exceeded',
    message: /holds 3\d\d\d bytes of items; this server sends at most 2000/,
  })
})
