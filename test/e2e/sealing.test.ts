/** What clients and the database carry for the server: sealed, bound, rotated, and never beside itself in the clear. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadSealingKeys, rotateSealingKeys } from '../../src/auth/sealing-keys.ts'
import { createEngine } from '../../src/engine/create-engine.ts'
import { planRun } from '../../src/engine/plan-run.ts'
import { createSealedBox } from '../../src/lib/sealed-box.ts'
import type { ModelEvent } from '../../src/models/model.ts'
import { ownReasoning } from '../../src/models/own-reasoning.ts'
import { ApiError } from '../../src/protocol/errors.ts'
import type { InputItemParam } from '../../src/protocol/items.ts'
import { announceSeed, isFull, seededRandom } from '../faults/seed.ts'
import { type EngineFixture as Fixture, openEngine, readAll } from '../support/engine-fixture.ts'
import { send } from '../support/http.ts'
import { finish, type Script, saying, scriptedModel } from '../support/scripted-model.ts'
import { startServer } from '../support/server.ts'

const CANARY = 'canary-of-a-hidden-thought'

/** A model that thinks in private: only its state says what, and the summary something else. */
const thinking = (state: string): Script => {
  const events: ModelEvent[] = [
    { type: 'reasoning-start', id: 'r' },
    { type: 'reasoning-delta', id: 'r', kind: 'summary', part: 0, delta: 'I thought about it.' },
    { type: 'reasoning-end', id: 'r', state },
    { type: 'text-start', id: 't' },
    { type: 'text-delta', id: 't', delta: 'Hello.' },
    { type: 'text-end', id: 't' },
    finish(),
  ]
  return { batches: [events] }
}

const filesOf = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name)))

async function thoughtOf(fixture: Fixture) {
  const run = await fixture.engine.createResponse({ model: 'm', input: 'hi' }, fixture.caller())
  await readAll(run.events)
  const response = await fixture.engine.getResponse(run.responseId, fixture.caller())
  const [item] = response.output
  assert.ok(item?.type === 'reasoning' && item.encrypted_content)
  return { response, item, sealed: item.encrypted_content }
}

test('what a provider hides is nowhere in the clear: not in the reply, and not in the database (req 64)', async () => {
  const model = scriptedModel([thinking(CANARY)])
  const fixture = await openEngine(model)
  try {
    const { response } = await thoughtOf(fixture)
    assert.ok(!JSON.stringify(response).includes(CANARY))
    assert.ok(filesOf(fixture.directory).every((bytes) => !bytes.includes(CANARY)))
    const next = { model: 'm', input: 'again', previous_response_id: response.id }
    await readAll((await fixture.engine.createResponse(next, fixture.caller())).events)
    assert.match(JSON.stringify(model.turns[1]?.items), new RegExp(CANARY), 'its own provider gets it back')
  } finally {
    await fixture.close()
  }
})

test('another provider gets the readable text alone, and the caller is told (req 64)', async () => {
  const fixture = await openEngine(scriptedModel([thinking(CANARY)]))
  const other = scriptedModel([saying('Hello.')])
  try {
    const { item } = await thoughtOf(fixture)
    const catalog = {
      ...fixture.deps.catalog,
      resolve: async (name: string) => {
        const elsewhere = ownReasoning(other, 'elsewhere')
        return { model: elsewhere, name, upstreamModel: name, provider: 'elsewhere' }
      },
    }
    const request = { model: 'm', input: [{ role: 'user' as const, content: 'hi' }, item] }
    const same = await planRun(request, fixture.caller(), fixture.deps)
    assert.deepEqual(same.warnings, [])
    const plan = await planRun(request, fixture.caller(), { ...fixture.deps, catalog })
    for await (const _ of plan.resolved.model.stream(plan.turn, { signal: new AbortController().signal }));
    assert.ok(!JSON.stringify(other.turns).includes(CANARY))
    assert.match(JSON.stringify(other.turns), /I thought about it/)
    assert.deepEqual(plan.warnings, [
      "input: reasoning of the provider 'scripted' goes to 'elsewhere' as readable text at most.",
    ])
  } finally {
    await fixture.close()
  }
})

/** The same data under other keys; `keep`: those of before stay behind the new one. */
function withNewKey(fixture: Fixture, keep: boolean): Fixture['engine'] {
  const newest = { id: 'newer', secret: new Uint8Array(32).fill(9) }
  const before = { id: 'test', secret: new Uint8Array(32) }
  const sealedBox = createSealedBox(keep ? [newest, before] : [newest], 'test')
  return createEngine({ ...fixture.deps, sealedBox })
}

test('a blob of another project is refused as a forged one is (req 65, 75)', async () => {
  const fixture = await openEngine(scriptedModel([thinking(CANARY)]))
  try {
    const { item } = await thoughtOf(fixture)
    const request = { model: 'm', input: [{ role: 'user' as const, content: 'hi' }, item] }
    const stranger = fixture.caller({ projectId: 'proj_b' })
    const refusal = { status: 400, code: 'invalid_encrypted_content', param: 'input[1].encrypted_content' }
    await assert.rejects(fixture.engine.createResponse(request, stranger), refusal)
    await assert.rejects(fixture.engine.countInputTokens(request, stranger), refusal)
    await assert.rejects(fixture.engine.compactResponse(request, stranger), refusal)
    await assert.rejects(fixture.engine.conversations.create({ items: [item] }, stranger), {
      ...refusal,
      param: 'items[0].encrypted_content',
    })
    const own = await fixture.engine.createResponse(request, fixture.caller())
    assert.deepEqual(own.warnings, [])
    await readAll(own.events)
  } finally {
    await fixture.close()
  }
})

test('what an older key sealed opens while the key is kept', async () => {
  const model = scriptedModel([thinking(CANARY)])
  const fixture = await openEngine(model)
  try {
    const { response, item } = await thoughtOf(fixture)
    const engine = withNewKey(fixture, true)
    for (const request of [
      { model: 'm', input: [{ role: 'user' as const, content: 'hi' }, item] },
      { model: 'm', input: 'hi', previous_response_id: response.id },
    ]) {
      const run = await engine.createResponse(request, fixture.caller())
      await readAll(run.events)
      assert.deepEqual(run.warnings, [])
      assert.match(JSON.stringify(model.turns.at(-1)?.items), new RegExp(CANARY))
    }
  } finally {
    await fixture.close()
  }
})

test('when its key is gone, sent reasoning is refused, and stored reasoning goes on as readable text with a warning', async () => {
  const model = scriptedModel([thinking(CANARY)])
  const fixture = await openEngine(model)
  try {
    const { response, item } = await thoughtOf(fixture)
    const trigger = { type: 'compaction_trigger' as const }
    const compacting = { model: 'm', input: [trigger], previous_response_id: response.id }
    const compacted = await fixture.engine.createResponse(compacting, fixture.caller())
    await readAll(compacted.events)
    const engine = withNewKey(fixture, false)
    const sent = { model: 'm', input: [{ role: 'user' as const, content: 'hi' }, item] }
    await assert.rejects(engine.createResponse(sent, fixture.caller()), { code: 'invalid_encrypted_content' })
    const chained = { model: 'm', input: 'hi', previous_response_id: response.id }
    const run = await engine.createResponse(chained, fixture.caller())
    await readAll(run.events)
    assert.deepEqual(run.warnings, [
      'input: stored reasoning goes as readable text at most: the key it was sealed with is gone.',
    ])
    const shown = JSON.stringify(model.turns.at(-1)?.items)
    assert.ok(!shown.includes(CANARY))
    assert.match(shown, /I thought about it/)
    await assert.rejects(
      engine.createResponse({ ...chained, previous_response_id: compacted.responseId }, fixture.caller()),
      { status: 400, param: 'input', code: 'invalid_encrypted_content' },
    )
  } finally {
    await fixture.close()
  }
})

test('thousands of changed blobs are refused, every one by its path and code (req 65, 73)', async (t) => {
  const random = seededRandom(announceSeed(t))
  const fixture = await openEngine(scriptedModel([thinking(CANARY)]))
  try {
    const { sealed } = await thoughtOf(fixture)
    const compacted = await fixture.engine.compactResponse({ model: 'm', input: 'hi' }, fixture.caller())
    const compaction = compacted.response.output.at(-1)
    assert.ok(compaction?.type === 'compaction')
    const rounds = isFull ? 10_000 : 500
    for (let round = 0; round < rounds; round++) {
      const [type, blob] =
        round % 2 === 0 ? (['reasoning', sealed] as const) : (['compaction', compaction.encrypted_content] as const)
      const encrypted_content = mutate(blob, random)
      const summary = type === 'reasoning' ? { summary: [] } : {}
      const item = { type, encrypted_content, ...summary } as InputItemParam
      const request = { model: 'm', input: [{ role: 'user' as const, content: 'x' }, item] }
      await assert.rejects(planRun(request, fixture.caller(), fixture.deps), (error: unknown) => {
        assert.ok(error instanceof ApiError, `${encrypted_content}: ${String(error)}`)
        assert.deepEqual(
          [error.status, error.code, error.param],
          [400, 'invalid_encrypted_content', 'input[1].encrypted_content'],
        )
        return true
      })
    }
    const swapped = { type: 'compaction' as const, encrypted_content: sealed }
    await assert.rejects(planRun({ model: 'm', input: [swapped] }, fixture.caller(), fixture.deps), ApiError)
  } finally {
    await fixture.close()
  }
})

/** The blob with something else in one place: a bit, a character, a piece gone, doubled, moved or put in. */
function mutate(blob: string, random: () => number): string {
  const at = Math.floor(random() * blob.length)
  const length = 1 + Math.floor(random() * 8)
  const piece = blob.slice(at, at + length)
  const ways = [
    () =>
      blob.slice(0, at) +
      String.fromCharCode(blob.charCodeAt(at) ^ (1 << Math.floor(random() * 7))) +
      blob.slice(at + 1),
    () => blob.slice(0, at) + blob.slice(at + length),
    () => blob.slice(0, at) + piece + blob.slice(at),
    () => blob.slice(0, at) + [...piece].reverse().join('') + blob.slice(at + length),
    () => blob.slice(0, Math.max(at, 1)),
    () => `${blob.slice(0, at)}\n${blob.slice(at)}`,
    () => blob + piece,
    () => `apn2.${blob.slice(at)}`,
  ]
  const changed = ways[Math.floor(random() * ways.length)]?.() ?? ''
  return changed === blob ? `${blob}A` : changed
}

test('the newest key of the data directory seals, and after a rotation what an older one sealed still opens (req 73)', async () => {
  const first = await startServer()
  const { json } = await send(first, 'POST', '/v1/responses/compact', {
    model: 'demo',
    input: 'The code word is heron.',
  })
  const sealed = (json.output as { encrypted_content?: string }[]).at(-1)?.encrypted_content ?? ''
  const rotated = rotateSealingKeys(first.dataDir)
  const keys = loadSealingKeys(first.dataDir)
  await first.close()
  assert.equal(sealed.split('.')[1], keys[1]?.id)
  const box = createSealedBox(keys, 'sealed content')
  assert.match(box.open(sealed, 'compaction:proj_default') ?? '', /heron/)
  assert.equal(box.seal('x', 'y').split('.')[1], rotated.id)
})
