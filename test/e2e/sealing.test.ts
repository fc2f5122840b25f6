/** What clients and the database carry for the server: sealed, bound, rotated, and never beside itself in the clear. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadSealingKeys, rotateSealingKeys } from '../../src/auth/sealing-keys.ts'
import { planRun } from '../../src/engine/plan-run.ts'
import { createSealedBox } from '../../src/lib/sealed-box.ts'
import type { ModelEvent } from '../../src/models/model.ts'
import { ApiError } from '../../src/protocol/errors.ts'
import type { InputItemParam } from '../../src/protocol/items.ts'
import { announceSeed, isFull, seededRandom } from '../faults/seed.ts'
import { openEngine, readAll } from '../support/engine-fixture.ts'
import { send } from '../support/http.ts'
import { finish, type Script, scriptedModel } from '../support/scripted-model.ts'
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

const filesOf = (folder: string) => readdirSync(folder).map((name) => readFileSync(join(folder, name)))

async function thoughtOf(fixture: Awaited<ReturnType<typeof openEngine>>) {
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
  const model = scriptedModel([thinking(CANARY)])
  const fixture = await openEngine(model)
  try {
    const { item } = await thoughtOf(fixture)
    const catalog = {
      ...fixture.deps.catalog,
      resolve: async (name: string) => ({ model, name, upstreamModel: name, provider: 'elsewhere' }),
    }
    const request = { model: 'm', input: [{ role: 'user' as const, content: 'hi' }, item] }
    const same = await planRun(request, fixture.caller(), fixture.deps)
    assert.deepEqual(same.warnings, [])
    const other = await planRun(request, fixture.caller(), { ...fixture.deps, catalog })
    assert.ok(!JSON.stringify(other.turn).includes(CANARY))
    assert.match(JSON.stringify(other.turn), /I thought about it/)
    assert.deepEqual(other.warnings, [
      "input: reasoning of the provider 'scripted' goes to 'elsewhere' as readable text only.",
    ])
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
