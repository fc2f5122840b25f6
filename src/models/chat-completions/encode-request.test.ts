import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TEST_TURN } from '../../../test/fakes/chat-fixtures.ts'
import { validateChatRequest } from '../../../test/fakes/chat-validate.ts'
import type { ModelTurn } from '../model.ts'
import { nearestEffort } from '../upstream/nearest-effort.ts'
import { encodeRequest } from './encode-request.ts'
import { notCarried } from './field-table.ts'
import { CHAT_PROVIDERS, quirksOf } from './providers.ts'
import { type Quirks, withQuirks } from './quirks.ts'

/** Everything a turn can ask for at once. */
const FULL: ModelTurn = {
  ...TEST_TURN,
  instructions: 'Be brief.',
  tools: [{ type: 'function', name: 'f', description: 'D', parameters: { type: 'object' }, strict: true }],
  toolChoice: { mode: 'required', allowed: null },
  parallelToolCalls: false,
  text: {
    format: { type: 'json_schema', name: 'x', schema: { type: 'object' }, strict: true },
    verbosity: 'low',
  },
  reasoning: { effort: 'xhigh', summary: 'auto' },
  temperature: 0,
  topP: 0.5,
  presencePenalty: 1,
  frequencyPenalty: -1,
  topLogprobs: 3,
  maxOutputTokens: 100,
  stop: ['END'],
  serviceTier: 'flex',
  promptCacheKey: 'k',
  promptCacheRetention: '24h',
  safetyIdentifier: 'u',
  metadata: { a: 'b' },
}
const SCHEMA_FORMAT = { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' }, strict: true } }

const extra = (turn: ModelTurn, quirks: Quirks) => {
  const { model: _model, messages: _messages, stream: _stream, ...rest } = encodeRequest(turn, quirks)
  return rest
}

describe('encode request', () => {
  it('sends only what was given, always streamed', () => {
    assert.deepEqual(encodeRequest(TEST_TURN, withQuirks()), {
      model: 'test-model',
      messages: [{ role: 'user', content: 'Hello' }],
      stream: true,
      stream_options: { include_usage: true },
    })
    assert.deepEqual(extra(TEST_TURN, withQuirks({ streamOptions: false })), {})
  })

  it('sends everything to a provider that takes everything', () => {
    assert.deepEqual(extra(FULL, quirksOf('openai')), {
      stream_options: { include_usage: true },
      tools: [
        { type: 'function', function: { name: 'f', description: 'D', parameters: { type: 'object' }, strict: true } },
      ],
      tool_choice: 'required',
      parallel_tool_calls: false,
      response_format: SCHEMA_FORMAT,
      temperature: 0,
      top_p: 0.5,
      presence_penalty: 1,
      frequency_penalty: -1,
      max_completion_tokens: 100,
      stop: ['END'],
      logprobs: true,
      top_logprobs: 3,
      reasoning_effort: 'xhigh',
      verbosity: 'low',
      service_tier: 'flex',
      prompt_cache_key: 'k',
      prompt_cache_retention: '24h',
      safety_identifier: 'u',
    })
    assert.deepEqual(notCarried(FULL, quirksOf('openai')), [{ param: 'reasoning.summary', weight: 'hint' }])
  })

  it('reports what it leaves out for one that takes little', () => {
    const poor = withQuirks({
      logprobs: false,
      penalties: false,
      toolChoice: false,
      structuredOutput: 'none',
      parallelToolCalls: false,
      reasoningEffort: null,
    })
    const { tools: _tools, ...rest } = extra(FULL, poor)
    assert.deepEqual(rest, {
      stream_options: { include_usage: true },
      temperature: 0,
      top_p: 0.5,
      max_tokens: 100,
      stop: ['END'],
    })
    assert.deepEqual(
      notCarried(FULL, poor).map(({ param, weight }) => `${param}: ${weight}`),
      [
        'top_logprobs: meaning',
        'presence_penalty: meaning',
        'frequency_penalty: meaning',
        'tool_choice: meaning',
        'text.format: meaning',
        'parallel_tool_calls: hint',
        'reasoning.effort: hint',
        'reasoning.summary: hint',
        'text.verbosity: hint',
        'service_tier: hint',
        'prompt_cache_key: hint',
        'prompt_cache_retention: hint',
        'safety_identifier: hint',
      ],
    )
    assert.deepEqual(notCarried(TEST_TURN, poor), [])
  })

  it('tells the model the schema where the provider cannot enforce it', () => {
    const text = { ...FULL.text, format: { ...FULL.text.format, schema: { type: 'object', title: 'Point' } } }
    const first = (quirks: Partial<Quirks>, turn: ModelTurn) => encodeRequest(turn, withQuirks(quirks)).messages[0]
    const message = first({ structuredOutput: 'json_object' }, { ...FULL, text })
    assert.match(String(message?.content), /^Be brief\.\n\nAnswer with one JSON object.*"title":"Point"/s)
    assert.deepEqual(extra({ ...TEST_TURN, text }, withQuirks({ structuredOutput: 'json_object' })).response_format, {
      type: 'json_object',
    })
    const plain: ModelTurn = { ...TEST_TURN, text: { format: { type: 'json_object' }, verbosity: 'medium' } }
    assert.deepEqual(extra(plain, withQuirks()).response_format, { type: 'json_object' })
    assert.equal(extra(plain, withQuirks({ structuredOutput: 'none' })).response_format, undefined)
    assert.match(String(first({ structuredOutput: 'none' }, plain)?.content), /Answer with one JSON object/)
  })

  it('asks for log probabilities without alternatives', () => {
    const body = extra({ ...TEST_TURN, topLogprobs: 0 }, withQuirks())
    assert.deepEqual([body.logprobs, body.top_logprobs], [true, undefined])
  })

  it('puts the effort where the provider looks for it, as the nearest value it knows', () => {
    const openrouter = extra({ ...TEST_TURN, reasoning: { effort: 'max', summary: null } }, quirksOf('openrouter'))
    assert.deepEqual(openrouter.reasoning, { effort: 'xhigh' })
    assert.equal(nearestEffort('minimal', ['low', 'medium']), 'low')
    assert.equal(nearestEffort('xhigh', ['low', 'medium', 'high']), 'high')
    assert.equal(nearestEffort('none', ['low']), null)
    assert.equal(nearestEffort('high', []), null)
  })

  for (const { name, quirks } of CHAT_PROVIDERS) {
    it(`is taken by a strict server, for ${name}`, () => {
      const own = ['reasoning']
      for (const turn of [TEST_TURN, FULL]) {
        const body: unknown = JSON.parse(JSON.stringify(encodeRequest(turn, withQuirks(quirks))))
        assert.equal(validateChatRequest(body, own), null)
      }
    })
  }
})

describe('built-in providers', () => {
  it('have names that can stand before a slash, and addresses without credentials', () => {
    const names = CHAT_PROVIDERS.map(({ name }) => name)
    assert.equal(new Set(names).size, names.length)
    for (const { name, baseUrl, local, envKeys } of CHAT_PROVIDERS) {
      assert.match(name, /^[a-z][a-z0-9-]*$/)
      const url = new URL(baseUrl)
      assert.equal(url.protocol, local ? 'http:' : 'https:')
      assert.equal(url.username + url.password + url.search, '')
      if (!local) assert.ok(envKeys.length > 0)
    }
  })

  it('let the operator have the last word about quirks', () => {
    assert.equal(quirksOf('openai', { maxTokensField: 'max_tokens' }).maxTokensField, 'max_tokens')
    assert.deepEqual(quirksOf('somebody'), withQuirks())
  })
})
