import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { after, describe, it } from 'node:test'
import { END, replyChain } from '../../../test/fakes/tiny-gguf.ts'
import { importLlama, tinyModels, whyNoLlama } from '../../../test/support/llama.ts'
import { assistant, functionCall, functionOutput, user } from '../../../test/support/turn-items.ts'
import { systemClock } from '../../lib/clock.ts'
import { createRandomIds } from '../../lib/ids.ts'
import { turn as demoTurn, tool } from '../demo/turns.contract.ts'
import { embedderContract } from '../embedder.contract.ts'
import { localModelContract } from '../model.contract.ts'
import { type Model, ModelError, type ModelTurn } from '../model.ts'
import { type ModelRun, mergeDeltas, runModel } from '../model-run.contract.ts'
import { createLocalEmbedder } from './local-embedder.ts'
import { createLocalModel } from './local-model.ts'
import { createModelPool } from './model-pool.ts'
import { createLlamaRuntime } from './open-model.ts'

const CALL = ['||call:', ' weather', '(', '{"city": "', 'Rome', '"}', ')', END]
const CONTEXT = 12_000
const SMALL = 512

describe('models by llama.cpp', { skip: whyNoLlama }, () => {
  const files = tinyModels({
    talk: { chain: replyChain('Good', ' day', ', 日本', '!', END) },
    think: { chain: replyChain('<think>', 'Let me', ' see.', '</think>', 'It', ' is', ' so.', END) },
    loop: { chain: [...replyChain('tick', ' tock'), [' tock', 'tick']], contextLength: CONTEXT },
    small: { chain: [...replyChain('tick', ' tock'), [' tock', 'tick']], contextLength: SMALL },
    call: { chain: replyChain(...CALL) },
    embed: { chain: [], pooling: 'mean' },
  })
  const settings = {
    dir: files.dir,
    contextSize: CONTEXT,
    threads: 1,
    gpu: false,
    idleUnloadMs: 600_000,
    maxLoaded: 6,
  } as const
  const runtime = createLlamaRuntime(settings, importLlama)
  const pool = createModelPool({
    load: (name, signal) => runtime.open(`${files.dir}/${name}.gguf`, signal),
    maxLoaded: settings.maxLoaded,
    idleMs: settings.idleUnloadMs,
    clock: systemClock,
  })
  const capabilities = {
    contextWindow: CONTEXT,
    maxOutputTokens: null,
    imageInput: false,
    fileInput: false,
    functionTools: true,
    customTools: false,
    structuredOutput: true,
    reasoning: true,
    logprobs: false,
  }
  const model = createLocalModel({ provider: 'local', capabilities, pool, clock: systemClock, ids: createRandomIds() })
  const ask = (name: string, changes: Partial<ModelTurn> = {}) =>
    demoTurn([user('hello')], { model: name, temperature: 0, ...changes })
  const weather = tool('weather', { city: { type: 'string' } }, 'The weather of a city')

  after(async () => {
    await pool.close()
    await runtime.close()
    files[Symbol.dispose]()
  })

  localModelContract('a local model', {
    model,
    turns: [
      { name: 'plain text', turn: ask('talk') },
      { name: 'thoughts', turn: ask('think') },
      { name: 'no message', turn: ask('talk', { items: [] }) },
      { name: 'a conversation', turn: ask('talk', { items: [user('hello'), assistant('Hi'), user('the word')] }) },
      { name: 'a call', turn: ask('call', { tools: [weather] }) },
      { name: 'a cut', turn: ask('loop', { maxOutputTokens: 3 }) },
      { name: 'a cut in the arguments', turn: ask('call', { tools: [weather], maxOutputTokens: 6 }) },
      {
        name: 'a result',
        turn: ask('talk', {
          tools: [weather],
          items: [user('hello'), functionCall('c', 'weather', '{"city":"Rome"}'), functionOutput('c', '18')],
        }),
      },
    ],
    slowTurn: ask('loop'),
  })

  embedderContract('a local model of embeddings', async () => ({
    embedder: createLocalEmbedder({
      provider: 'local',
      pool,
      limits: { dimensions: 128, maxInputTokens: CONTEXT },
      clock: systemClock,
    }),
    model: 'embed',
    otherDimensions: 64,
    close: async () => {},
  }))

  it('writes what the model says, in pieces, and counts its tokens exactly', async () => {
    const run = await completed(model, ask('talk'))
    assert.equal(textOf(run), 'Good day, 日本!')
    assert.ok(run.batches > 1)
    const finish = finishOf(run)
    assert.equal(finish.reason, 'stop')
    const prompt = await model.countInputTokens(ask('talk'), { signal: new AbortController().signal })
    assert.equal(finish.usage?.input_tokens, prompt)
    assert.equal(finish.usage?.output_tokens, 5)
  })

  it('reads what a conversation has in common with the turn before from the cache', async () => {
    await completed(model, ask('talk'))
    const more = [user('hello'), assistant('Good day, 日本!'), user('the word')]
    const { usage } = finishOf(await completed(model, ask('talk', { items: more })))
    assert.ok((usage?.input_tokens_details.cached_tokens ?? 0) > 5, JSON.stringify(usage))
  })

  it('tells thoughts between tags from the answer', async () => {
    const run = await completed(model, ask('think'))
    assert.equal(thoughtsOf(run), 'Let me see.')
    assert.equal(textOf(run), 'It is so.')
    assert.ok((finishOf(run).usage?.output_tokens_details.reasoning_tokens ?? 0) > 0)
  })

  it('ends at the most tokens that were asked for', async () => {
    const finish = finishOf(await completed(model, ask('loop', { maxOutputTokens: 7 })))
    assert.equal(finish.reason, 'length')
    assert.equal(finish.usage?.output_tokens, 7)
  })

  it('ends when the window is full, and forgets nothing of the conversation for it', async () => {
    const items = [user('word '.repeat(SMALL - 200))]
    const finish = finishOf(await completed(model, ask('small', { items })))
    assert.equal(finish.reason, 'length')
    const total = finish.usage?.total_tokens ?? 0
    assert.ok(total > SMALL - 10 && total <= SMALL, String(total))
  })

  it('refuses a conversation that does not fit into the window', async () => {
    const { error, events } = await runModel(model, ask('small', { items: [user('word '.repeat(SMALL))] }))
    assert.ok(error instanceof ModelError && error.kind === 'context_length', String(error))
    assert.deepEqual(events, [])
  })

  it('ends before a stop sequence', async () => {
    const run = await completed(model, ask('talk', { stop: [' day'] }))
    assert.equal(textOf(run), 'Good')
    assert.equal(finishOf(run).reason, 'stop')
  })

  it('calls a function with arguments that fit its schema', async () => {
    const strict = tool('weather', { city: { enum: ['Rome', 'Oslo'] }, days: { type: 'boolean' } })
    const run = await completed(model, ask('call', { tools: [strict] }))
    const [call, ...others] = callsOf(run)
    assert.deepEqual(others, [])
    assert.equal(call?.name, 'weather')
    assert.ok(['Rome', 'Oslo'].includes(call?.input.city))
    assert.equal(typeof call?.input.days, 'boolean')
    assert.equal(finishOf(run).reason, 'tool_calls')
    assert.equal(textOf(run), '')
  })

  it('calls a function that takes no arguments', async () => {
    const run = await completed(model, ask('call', { tools: [tool('weather', {})] }))
    assert.deepEqual(callsOf(run), [{ name: 'weather', input: {} }])
  })

  it('calls nothing when no tool is offered, or none may be used', async () => {
    const none = { mode: 'none', allowed: null } as const
    assert.deepEqual(callsOf(await completed(model, ask('call', { tools: [weather], toolChoice: none }))), [])
  })

  it('says JSON that fits the schema, whatever the model would rather say', async () => {
    const schema = {
      type: 'object',
      properties: { colour: { enum: ['red', 'blue'] }, deep: { type: ['boolean', 'null'] } },
      required: ['colour', 'deep'],
      additionalProperties: false,
    }
    const format = { type: 'json_schema', name: 'answer', schema, strict: true } as const
    const run = await completed(model, ask('talk', { text: { format, verbosity: 'medium' } }))
    const answer = JSON.parse(textOf(run))
    assert.deepEqual(Object.keys(answer), ['colour', 'deep'])
    assert.ok(['red', 'blue'].includes(answer.colour))
  })

  it('says which formats it cannot be held to, so that they are asked for in words', () => {
    const schema = { type: 'object', properties: { a: { type: 'string', pattern: '^x+$' } }, required: ['a'] }
    const format = { type: 'json_schema', name: 'answer', schema, strict: true } as const
    const lost = model.notCarried?.(ask('talk', { text: { format, verbosity: 'medium' } }))
    assert.deepEqual(lost, [{ param: 'text.format', weight: 'meaning' }])
  })

  it('serves those who come at the same time one after the other, without mixing them', async () => {
    const runs = await Promise.all(
      ['talk', 'think', 'talk', 'talk', 'think'].map((name) => completed(model, ask(name))),
    )
    assert.deepEqual(runs.map(textOf), [
      'Good day, 日本!',
      'It is so.',
      'Good day, 日本!',
      'Good day, 日本!',
      'It is so.',
    ])
  })

  it('is free for the next turn after an abort', async () => {
    const controller = new AbortController()
    const cut = runModel(model, ask('loop'), controller.signal)
    await model.countInputTokens(ask('loop'), { signal: new AbortController().signal })
    controller.abort()
    await cut
    const { error } = await runModel(model, ask('loop', { maxOutputTokens: 2 }))
    assert.equal(error, null)
  })

  it('leaves the event loop free while it reads and writes', async () => {
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    await completed(model, ask('loop', { items: [user('word '.repeat(3000))], maxOutputTokens: 100 }))
    delay.disable()
    // Milliseconds; reading alone takes longer than this many.
    assert.ok(delay.max / 1e6 < 1000, `held up for ${delay.max / 1e6} ms`)
  })

  it('names what is wrong with a file that is no model', async () => {
    writeFileSync(`${files.dir}/broken.gguf`, 'GGUF and nothing else')
    const { error } = await runModel(model, ask('broken'))
    assert.ok(error instanceof ModelError && error.kind === 'unavailable')
    assert.match(error.message, /damaged/)
    assert.doesNotMatch(error.message, /antiphon-models/)
  })
})

describe('without the library', () => {
  it('says how to install it', async () => {
    const settings = { dir: '', contextSize: 1, threads: 1, gpu: false, idleUnloadMs: 1, maxLoaded: 1 } as const
    const runtime = createLlamaRuntime(settings, () => Promise.reject(new Error('Cannot find package')))
    await assert.rejects(
      runtime.open('x', new AbortController().signal),
      (error) => error instanceof ModelError && /npm install node-llama-cpp@3\.22\.1/.test(error.message),
    )
  })
})

async function completed(model: Model, turn: ModelTurn): Promise<ModelRun> {
  const run = await runModel(model, turn)
  assert.equal(run.error, null, String(run.error))
  return run
}

function finishOf({ events }: ModelRun) {
  const finish = events.at(-1)
  assert.ok(finish?.type === 'finish')
  return finish
}

const textOf = ({ events }: ModelRun) =>
  events.map((event) => (event.type === 'text-delta' ? event.delta : '')).join('')
const thoughtsOf = ({ events }: ModelRun) =>
  events.map((event) => (event.type === 'reasoning-delta' ? event.delta : '')).join('')

function callsOf({ events }: ModelRun) {
  const merged = mergeDeltas(events)
  return merged.flatMap((event) => {
    if (event.type !== 'call-start') return []
    const delta = merged.find((other) => other.type === 'call-delta' && other.id === event.id)
    return [{ name: event.name, input: JSON.parse(delta?.type === 'call-delta' ? delta.delta : '') }]
  })
}
