/** Compaction inside a run: what the models are asked, what the events say, what it costs, how it fails. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openEngine, readAll } from '../../test/support/engine-fixture.ts'
import { finish, type Script, SOME_USAGE, saying, scriptedModel } from '../../test/support/scripted-model.ts'
import { ModelError } from '../models/model.ts'
import { COMPACTION_INSTRUCTIONS } from '../protocol/compaction-texts.ts'
import type { Item } from '../protocol/items.ts'
import type { CreateResponseRequest } from '../protocol/request.ts'
import { isTerminal } from './run-event.ts'

const LONG = 'x'.repeat(1500)
const COMPACT: CreateResponseRequest['context_management'] = [{ type: 'compaction', compact_threshold: 1000 }]

async function run(scripts: readonly Script[], request: CreateResponseRequest, contextWindow: number | null = null) {
  const model = scriptedModel(scripts, { contextWindow })
  const { engine, caller, close } = await openEngine(model)
  try {
    const started = await engine.createResponse({ model: 'm', ...request }, caller())
    const events = await readAll(started.events)
    const last = events.at(-1)
    assert.ok(last && isTerminal(last))
    return { model, events, response: last.response, end: last.type }
  } finally {
    await close()
  }
}

const textOf = (item: Item | undefined): string =>
  item?.type === 'message' ? item.content.map((part) => ('text' in part ? part.text : '')).join('') : ''

test('the summarising turn offers no tools and asks for plain text; the answer stands on its summary', async () => {
  const { model, response } = await run([saying('Ada asked for x.'), saying('Hello.')], {
    input: [
      { role: 'developer', content: 'Be kind.' },
      { role: 'user', content: LONG },
      { role: 'assistant', content: LONG },
      { role: 'user', content: 'And now?' },
    ],
    tools: [{ type: 'function', name: 'f' }],
    text: { format: { type: 'json_object' } },
    context_management: COMPACT,
    instructions: 'Shout in JSON.',
  })
  const [summarising, answering] = model.turns
  assert.ok(summarising && answering)
  assert.equal(model.turns.length, 2)
  assert.ok(summarising.instructions?.startsWith(COMPACTION_INSTRUCTIONS))
  assert.match(summarising.instructions ?? '', /Shout in JSON\.$/)
  assert.deepEqual([summarising.tools, summarising.text.format.type], [[], 'text'])
  assert.equal(answering.instructions, 'Shout in JSON.')
  assert.deepEqual(answering.items.map(textOf), [
    'Be kind.',
    'Summary of the earlier conversation, which it replaces (4 items):\n\nAda asked for x.',
    'And now?',
  ])
  assert.equal(response.usage?.total_tokens, 2 * SOME_USAGE.total_tokens)
  assert.deepEqual(
    response.output.map(({ type }) => type),
    ['compaction', 'message'],
  )
})

test('calls and their outputs reach the summary as text, and the last step reaches the model unchanged', async () => {
  const step = (id: string, output: string) => [
    { type: 'function_call' as const, call_id: id, name: 'read', arguments: `{"file":"${id}"}` },
    { type: 'function_call_output' as const, call_id: id, output },
  ]
  const { model } = await run([saying('Read two files.'), saying('Done.')], {
    input: [{ role: 'user', content: 'Read them.' }, ...step('one', LONG), ...step('two', LONG)],
    tools: [{ type: 'function', name: 'read' }],
    context_management: COMPACT,
  })
  const [summarising, answering] = model.turns
  assert.ok(summarising?.items.every(({ type }) => type === 'message'))
  const told = summarising?.items.map(textOf) ?? []
  assert.match(told[1] ?? '', /called the tool read with: \{"file":"one"\}/)
  assert.match(told[2] ?? '', /^\[The tool read answered:\]\nx/)
  assert.deepEqual(
    answering?.items.map((item) => ('call_id' in item ? `${item.type} ${item.call_id}` : textOf(item).slice(0, 10))),
    ['Summary of', 'Read them.', 'function_call two', 'function_call_output two'],
  )
})

test('what does not fit into the window is summarised piece by piece, each on the summary before it', async () => {
  const says = (role: 'user' | 'assistant', text: string) => ({ role, content: text })
  const input = Array.from({ length: 8 }, (_, at) => says(at % 2 === 0 ? 'user' : 'assistant', `${at}${LONG}`))
  const { model, response } = await run(
    [saying('S1'), saying('S2'), saying('S3'), saying('S4'), saying('Done.')],
    { input: [...input, { type: 'compaction_trigger' }] },
    9_000,
  )
  assert.ok(model.turns.length > 1)
  for (const [at, turn] of model.turns.entries()) {
    if (at > 0) assert.match(textOf(turn.items[0]), new RegExp(`S${at}$`))
    assert.ok(JSON.stringify(turn.items).length < 9_000)
  }
  const seen = model.turns.flatMap(({ items }) => items.map(textOf)).filter((text) => text.endsWith(LONG))
  assert.deepEqual(
    seen.map((text) => text[0]),
    ['0', '1', '2', '3', '4', '5', '6', '7'],
  )
  assert.equal(response.output.length, 1)
})

test('a single message larger than the window is shortened for the summary, not a dead end', async () => {
  const { model, response } = await run(
    [saying('A wall of x.')],
    { input: [{ role: 'user', content: 'x'.repeat(50_000) }, { type: 'compaction_trigger' }] },
    8_000,
  )
  assert.equal(response.status, 'completed')
  assert.ok(JSON.stringify(model.turns[0]?.items).length < 8_000)
})

test('a summary that fails, or is empty, fails the response and leaves no compaction behind', async () => {
  const failing: Script = { batches: [], failAt: { index: 0, error: new ModelError('unavailable', 'down') } }
  const empty: Script = { batches: [[finish()]] }
  for (const script of [failing, empty]) {
    const { response, end } = await run([script], {
      input: [{ role: 'user', content: 'x' }, { type: 'compaction_trigger' }],
    })
    assert.equal(end, 'run.failed')
    assert.deepEqual(response.output, [])
  }
})

test('a first message that is over the threshold by itself is not compacted: nothing would get shorter', async () => {
  const { model, response } = await run([saying('Hello.')], { input: LONG, context_management: COMPACT })
  assert.equal(model.turns.length, 1)
  assert.equal(response.output.length, 1)
})
