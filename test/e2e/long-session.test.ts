/**
 * A conversation far longer than its model's window: 60 turns here, 1,000 with ANTIPHON_FAULTS=full. Every turn is
 * answered, what was told in the first one is known in the last, and a turn costs the same storage throughout.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { isFull } from '../faults/seed.ts'
import { send } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'

const WINDOW = 2_000
const TURNS = isFull ? 1_000 : 60
const CONFIG = `
models:
  - model_name: narrow
    deployments: [{ model: demo/demo }]
    model_info: { context_window: ${WINDOW} }
`
let server: TestServer
before(async () => {
  server = await startServer({ config: CONFIG })
})
after(() => server.close())

type Output = { readonly type: string; readonly call_id?: string }
const LOOK = {
  type: 'function',
  name: 'look_up',
  parameters: { type: 'object', properties: { key: { type: 'string' } } },
}

/** What the database holds, wherever its pages lie at the moment. */
function storedBytes(): number {
  using database = new DatabaseSync(join(server.dataDir, 'antiphon.db'), { readOnly: true })
  const pragma = (name: 'page_count' | 'page_size' | 'freelist_count') =>
    Number(database.prepare(`PRAGMA ${name}`).get()?.[name])
  return (pragma('page_count') - pragma('freelist_count')) * pragma('page_size')
}

test('a session of many windows is answered turn after turn and forgets nothing it was told (req 72)', async (t) => {
  let previous: unknown = null
  let compactions = 0
  let largest = 0
  const turn = async (input: unknown, more: object = {}) => {
    const { status, json, text } = await send(server, 'POST', '/v1/responses', {
      model: 'narrow',
      input,
      context_management: [{ type: 'compaction', compact_threshold: 1_000 }],
      ...(previous === null ? {} : { previous_response_id: previous }),
      ...more,
    })
    assert.equal(status, 200, text)
    assert.equal(json.status, 'completed', text)
    previous = json.id
    const output = json.output as Output[]
    const made = output.filter(({ type }) => type === 'compaction').length
    compactions += made
    if (made === 0) largest = Math.max(largest, (json.usage as { input_tokens: number }).input_tokens)
    return { output, text: String(json.output_text) }
  }
  await turn('My name is Ada. The code word is heron.')
  let halfway = 0
  for (let count = 1; count <= TURNS; count++) {
    if (count % 7 === 0) {
      const { output } = await turn(`look up the key item_${count}`, { tools: [LOOK], tool_choice: 'required' })
      const calls = output.filter(({ type }) => type === 'function_call')
      assert.ok(calls.length > 0)
      const outputs = calls.map(({ call_id }) => ({ type: 'function_call_output', call_id, output: `value ${count}` }))
      assert.match((await turn(outputs, { tools: [LOOK] })).text, new RegExp(`value ${count}`))
    } else {
      const { text } = await turn(
        `What is ${count} + ${count}? Take your time, there is nobody in a hurry about it here.`,
      )
      assert.match(text, new RegExp(`\\b${2 * count}\\b`))
    }
    if (count === TURNS / 2) halfway = storedBytes()
  }
  const [first, second] = [halfway / (TURNS / 2), (storedBytes() - halfway) / (TURNS / 2)]
  assert.match((await turn('What is my name?')).text, /Ada/)
  assert.match((await turn('What is the code word?')).text, /heron/)
  t.diagnostic(
    `${TURNS} turns, ${compactions} compactions, at most ${largest} input tokens, ` +
      `${Math.round(first)} then ${Math.round(second)} bytes a turn`,
  )
  assert.ok(compactions >= TURNS / 40, `${compactions} compactions`)
  assert.ok(largest < WINDOW)
  assert.ok(second < 1.5 * first, 'storage grows with the turns, not with what was before them')
})
