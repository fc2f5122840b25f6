import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createCountingIds } from '../../lib/ids.ts'
import { countTokens } from '../../lib/tokenizer.ts'
import { ModelError, type ModelEvent, type TurnItem } from '../model.ts'
import { assertModelEvents, runModel } from '../model-run.contract.ts'
import { createDemoModel } from './demo-model.ts'
import { ask, assistant, testClock, tool, turn, user } from './turns.contract.ts'

const newModel = () => createDemoModel({ clock: testClock })
const textDeltas = (events: readonly ModelEvent[]) =>
  events.flatMap((event) => (event.type === 'text-delta' ? [event] : []))

test('the same turn gets the same events, whatever the sampling options', async () => {
  const asked = turn('Tell me about the sea.', { temperature: 0 })
  const { events } = await ask(asked, newModel())
  assert.deepEqual((await ask(asked, newModel())).events, events)
  const hot = turn('Tell me about the sea.', { temperature: 2, topP: 1e-6, presencePenalty: 1, frequencyPenalty: -1 })
  assert.deepEqual((await ask(hot, newModel())).events, events)
})

test('text streams one token at a time and never half a character', async () => {
  const { events, finish } = await ask('Repeat exactly: 日本語 👨‍👩‍👧 naïve')
  const deltas = textDeltas(events)
  assert.ok(deltas.length > 4)
  assert.equal(deltas.map(({ delta }) => delta).join(''), '日本語 👨‍👩‍👧 naïve')
  assert.equal(finish.usage?.output_tokens, await countTokens('日本語 👨‍👩‍👧 naïve'))
})

test('output is cut at the token limit, and what was cut is the beginning of the whole', async () => {
  const whole = await ask('Count from 1 to 100.')
  for (const maxOutputTokens of [1, 2, 8, 50]) {
    const { text, finish } = await ask(turn('Count from 1 to 100.', { maxOutputTokens }))
    assert.equal(finish.reason, 'length')
    assert.equal(finish.usage?.output_tokens, maxOutputTokens)
    assert.equal(await countTokens(text), maxOutputTokens)
    assert.ok(whole.text.startsWith(text))
  }
  const exact = whole.finish.usage?.output_tokens ?? 0
  assert.equal((await ask(turn('Count from 1 to 100.', { maxOutputTokens: exact }))).finish.reason, 'stop')
})

test('a character that needs more tokens than are left is left out, and the budget is spent', async () => {
  const { text, finish } = await ask(turn('Repeat exactly: 𓂀𓂀𓂀', { maxOutputTokens: 1 }))
  assert.equal(text, '')
  assert.equal(finish.usage?.output_tokens, 1)
})

test('without a limit the model stops at its own maximum', async () => {
  const { finish } = await ask('[long:100000]')
  assert.equal(finish.reason, 'length')
  assert.equal(finish.usage?.output_tokens, 16_384)
})

test('output ends before the first stop sequence', async () => {
  const { text, finish } = await ask(turn('Say exactly: alpha beta gamma', { stop: ['gamma', 'beta', ''] }))
  assert.equal(text, 'alpha ')
  assert.equal(finish.reason, 'stop')
})

test('reasoning comes first, is counted, and comes back as state', async () => {
  const reasoning = { effort: 'medium', summary: 'auto' } as const
  const { events, reasoning: thought, summary, finish, text } = await ask(turn('What is 17 * 3?', { reasoning }))
  assert.match(thought, /17 \* 3/)
  assert.equal(summary.length, 2)
  assert.equal(text, '17 * 3 = 51.')
  assert.equal(finish.usage?.output_tokens_details.reasoning_tokens, await countTokens(thought))
  const end = events.find((event) => event.type === 'reasoning-end')
  const state = end?.type === 'reasoning-end' ? end.state : undefined
  assert.ok(state)
  const item: TurnItem = { id: 'rs_1', type: 'reasoning', summary: [], encrypted_content: state }
  const later = await ask(turn([user('What is 17 * 3?'), item, assistant('51'), user('What did you think?')]))
  assert.ok(later.text.includes(thought))
  const foreign = await ask(turn([{ ...item, encrypted_content: 'of another provider' }, user('What did you think?')]))
  assert.match(foreign.text, /No reasoning of mine/)
})

test('more effort gives more reasoning; none gives none, even when asked to think', async () => {
  let last = 0
  for (const effort of ['minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const) {
    const { finish } = await ask(turn('Hello', { reasoning: { effort, summary: null } }))
    const tokens = finish.usage?.output_tokens_details.reasoning_tokens ?? 0
    assert.ok(tokens > last, effort)
    last = tokens
  }
  assert.ok((await ask('Think it through: what is 2 + 2?')).reasoning.length > 0)
  const none = await ask(turn('Think it through: what is 2 + 2?', { reasoning: { effort: 'none', summary: 'auto' } }))
  assert.equal(none.reasoning, '')
  assert.deepEqual(none.summary, [])
  assert.equal(none.finish.usage?.output_tokens_details.reasoning_tokens, 0)
})

test('reasoning counts towards the limit', async () => {
  const reasoning = { effort: 'high', summary: 'auto' } as const
  const { text, finish } = await ask(turn('Hello', { reasoning, maxOutputTokens: 10 }))
  assert.equal(text, '')
  assert.equal(finish.reason, 'length')
  assert.equal(finish.usage?.output_tokens_details.reasoning_tokens, 10)
})

test('log probabilities: one entry per token, at most 0, the token itself likeliest, summing to at most 1', async () => {
  const { events } = await ask(turn('Repeat exactly: the café the the 日本', { topLogprobs: 5 }))
  for (const { delta, logprobs } of textDeltas(events)) {
    const [entry, ...others] = logprobs ?? []
    assert.deepEqual(others, [])
    assert.equal(entry?.token, delta)
    assert.deepEqual(entry?.bytes, [...Buffer.from(delta)])
    assert.equal(entry?.top_logprobs.length, 5)
    assert.equal(entry?.top_logprobs[0]?.token, delta)
    assert.equal(new Set(entry?.top_logprobs.map(({ token }) => token)).size, 5)
    assert.ok(entry?.top_logprobs.every(({ logprob }) => logprob <= 0 && logprob <= (entry?.logprob ?? 0)))
    assert.ok((entry?.top_logprobs ?? []).reduce((sum, { logprob }) => sum + Math.exp(logprob), 0) <= 1)
  }
  const zero = textDeltas((await ask(turn('Hi', { topLogprobs: 0 }))).events)
  assert.deepEqual(zero[0]?.logprobs?.[0]?.top_logprobs, [])
  assert.equal(textDeltas((await ask('Hi')).events)[0]?.logprobs, undefined)
})

test('a repeated prompt and a longer conversation report cached tokens; another key or user does not', async () => {
  const model = newModel()
  const instructions = 'You are a helpful assistant. '.repeat(50)
  const cached = async (changes: object, items: readonly TurnItem[] = [user('Say hi.')]) => {
    const { finish } = await ask(turn(items, { instructions, promptCacheKey: 'a', ...changes }), model)
    assert.equal(finish.usage?.total_tokens, (finish.usage?.input_tokens ?? 0) + (finish.usage?.output_tokens ?? 0))
    return finish.usage?.input_tokens_details.cached_tokens ?? 0
  }
  assert.equal(await cached({}), 0)
  const again = await cached({})
  assert.ok(again >= 288, `${again}`)
  assert.ok((await cached({}, [user('Say hi.'), assistant('Hi!'), user('And now?')])) >= again)
  assert.equal(await cached({ promptCacheKey: 'b' }), 0)
  assert.equal(await cached({ safetyIdentifier: 'someone else' }), 0)
  assert.equal(await cached({ instructions: `Not so. ${instructions}` }), 0)
})

test('the tokens counted before are the tokens charged', async () => {
  const tools = [tool('get_weather', { city: { type: 'string' } })]
  for (const asked of [turn('Hello'), turn([user('Weather in Paris?')], { tools, instructions: 'Be nice.' })]) {
    const counted = await newModel().countInputTokens(asked, { signal: new AbortController().signal })
    assert.equal((await ask(asked)).finish.usage?.input_tokens, counted)
  }
})

test('input over the context window is refused before anything is said', async () => {
  for (const text of ['word '.repeat(130_000), 'x'.repeat(4_000_001)]) {
    const { events, error } = await runModel(newModel(), turn(text))
    assert.ok(error instanceof ModelError && error.kind === 'context_length' && error.param === 'input')
    assert.deepEqual(events, [])
  }
})

test('request words fail, refuse, filter, and are not part of the question', async () => {
  for (const [word, kind, status] of [
    ['[fail]', 'unavailable', 500],
    ['[fail:429]', 'rate_limit', 429],
    ['[fail:503]', 'unavailable', 503],
    ['[fail:400]', 'invalid_request', 400],
    ['[fail:401]', 'auth', 401],
    ['[fail:404]', 'model_not_found', 404],
    ['[fail:context]', 'context_length', 400],
    ['[fail:policy]', 'content_policy', 400],
    ['[fail:timeout]', 'timeout', null],
    ['[fail:connection]', 'connection', null],
    ['[FAIL:malformed]', 'malformed', 200],
  ] as const) {
    const { events, error, attempts } = await runModel(newModel(), turn(`${word} Hello`))
    assert.deepEqual(events, [])
    assert.ok(error instanceof ModelError && error.kind === kind && error.status === status, word)
    assert.deepEqual([attempts[0]?.outcome, attempts[0]?.status, attempts[0]?.usage], ['failed', status, null])
  }
  assert.match((await ask('[refuse] Hello')).refusal, /will not help/)
  assert.equal((await ask('[filter] Hello')).finish.reason, 'content_filter')
  assert.equal((await ask('[empty]')).finish.usage?.output_tokens, 0)
  assert.equal((await ask('[long:30]')).text.split(' ').length, 30)
  assert.equal((await ask('Say exactly: [x] [think]')).text, '[x]')
})

test('[fail-after:N] breaks off after N words, in text and in arguments', async () => {
  const { events, error, attempts } = await runModel(
    newModel(),
    turn('[fail-after:3] Repeat exactly: one two three four five'),
  )
  assert.ok(error instanceof ModelError && error.kind === 'connection')
  assert.equal(
    textDeltas(events)
      .map(({ delta }) => delta)
      .join(''),
    'one two three',
  )
  assert.equal(attempts[0]?.outcome, 'failed')
  assert.equal(attempts[0]?.usage?.output_tokens, 4)
  const call = turn('[fail-after:0] Weather in Paris?', { tools: [tool('get_weather', { city: { type: 'string' } })] })
  const broken = await runModel(newModel(), call)
  assert.ok(broken.error instanceof ModelError)
  assert.deepEqual(
    broken.events.map(({ type }) => type),
    ['call-start'],
  )
})

test('[delay:MS] waits before the first event', async () => {
  const started = performance.now()
  await ask('[delay:120] Hello')
  assert.ok(performance.now() - started >= 100)
})

test('an abort while waiting ends at once and is told once, with what was used', async () => {
  const controller = new AbortController()
  const running = runModel(newModel(), turn('[delay:60000]'), controller.signal)
  setTimeout(() => controller.abort(), 30)
  const { error, attempts } = await running
  assert.ok(error instanceof ModelError && error.kind === 'aborted')
  assert.equal(attempts.length, 1)
  assert.ok((attempts[0]?.usage?.input_tokens ?? 0) > 0)
})

test('a long reply lets others have their turn', async () => {
  let ticks = 0
  const timer = setInterval(() => ticks++, 1)
  await ask('[long:10000]')
  clearInterval(timer)
  assert.ok(ticks > 3)
})

test('calls carry ids where a source of ids is given', async () => {
  const tools = [tool('get_weather', { city: { type: 'string' } })]
  const model = createDemoModel({ clock: testClock, ids: createCountingIds() })
  const { events } = await ask(turn('Weather in Paris and Rome?', { tools }), model)
  const ids = events.flatMap((event) => (event.type === 'call-start' ? [event.callId] : []))
  assert.equal(new Set(ids).size, 2)
  assert.ok(ids.every((id) => id?.startsWith('call_') && id.length <= 64))
})

test('whatever is asked gets a well-formed reply', async () => {
  const words = fc.constantFrom(
    'what is',
    'my',
    'name',
    'say',
    '"',
    ':',
    'call',
    'get_weather',
    'exactly',
    '2 + 2',
    'Paris',
    'and',
    '?',
    '{',
    '}',
    '[long:5]',
    'JSON',
    'remember',
    'the',
    '\n',
    'then',
  )
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.array(words, { maxLength: 14 }).map((list) => list.join(' ')),
  )
  const tools = [
    tool('get_weather', { city: { type: 'string' }, days: { type: 'integer', minimum: 1 } }),
    tool('ping', {}),
  ]
  const mode = fc.constantFrom('none', 'auto', 'required')
  await fc.assert(
    fc.asyncProperty(
      fc.array(text, { minLength: 1, maxLength: 4 }),
      text,
      mode,
      fc.boolean(),
      async (said, instructions, choice, hasTools) => {
        const items = said.map((line, index) => (index % 2 === 0 ? user(line) : assistant(line)))
        const toolChoice = { mode: choice, allowed: null } as const
        const { events, error } = await runModel(
          newModel(),
          turn(items, { instructions, toolChoice, tools: hasTools ? tools : [] }),
        )
        assert.equal(error, null)
        assertModelEvents(events)
      },
    ),
    { numRuns: 400 },
  )
})
