import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TEST_TURN } from '../../../test/fakes/chat-fixtures.ts'
import { ModelError, type ModelTurn, type TurnItem } from '../model.ts'
import { encodeRequest } from './encode-request.ts'
import { responsesQuirksOf } from './providers.ts'
import { DEFAULT_RESPONSES_QUIRKS, type ResponsesQuirks } from './quirks.ts'
import { packReasoningState } from './reasoning-state.ts'

const OPENAI = responsesQuirksOf('openai')
const encode = (turn: Partial<ModelTurn>, quirks: ResponsesQuirks = OPENAI, reasoning = true) =>
  encodeRequest({ ...TEST_TURN, ...turn }, { quirks, capabilities: { reasoning } })
const inputOf = (items: readonly TurnItem[], quirks?: ResponsesQuirks) => encode({ items }, quirks).input

const user = (text: string): TurnItem => ({
  id: 'msg_u',
  type: 'message',
  status: 'completed',
  role: 'user',
  content: [{ type: 'input_text', text }],
})
const said = (text: string, phase?: 'commentary' | 'final_answer'): TurnItem => ({
  id: 'msg_a',
  type: 'message',
  status: 'completed',
  role: 'assistant',
  content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
  ...(phase && { phase }),
})
const call: TurnItem = {
  id: 'fc_1',
  type: 'function_call',
  status: 'completed',
  call_id: 'c1',
  name: 'f',
  arguments: '{"a":1}',
}
const output: TurnItem = {
  id: 'fco_1',
  type: 'function_call_output',
  status: 'completed',
  call_id: 'c1',
  output: [
    { type: 'input_text', text: 'ok' },
    { type: 'input_image', image_url: 'data:image/png;base64,AA', detail: 'low' },
  ],
}
const thought = (rest: Partial<Extract<TurnItem, { type: 'reasoning' }>>): TurnItem => ({
  id: 'rs_ours',
  type: 'reasoning',
  status: 'completed',
  summary: [],
  ...rest,
})

describe('a turn as a Responses request', () => {
  it('is streamed, never stored, and says nothing that was not given', () => {
    assert.deepEqual(encode({}), {
      model: 'test-model',
      input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hello' }] }],
      stream: true,
      store: false,
      stream_options: { include_obfuscation: false },
      include: ['reasoning.encrypted_content'],
    })
  })

  it('asks for sealed reasoning only of models that reason', () => {
    assert.equal(encode({}, OPENAI, false).include, undefined)
    assert.equal(encode({}, { ...OPENAI, encryptedReasoning: false }).include, undefined)
  })

  it('carries every option by its own name', () => {
    const format = { type: 'json_schema', name: 'n', schema: { type: 'object' }, strict: true } as const
    const {
      model: _,
      input: __,
      ...fields
    } = encode(
      {
        instructions: 'Be brief.',
        text: { format, verbosity: 'low' },
        reasoning: { effort: 'high', summary: 'auto', context: 'all_turns' },
        temperature: 0.5,
        topP: 0.9,
        presencePenalty: 1,
        frequencyPenalty: -1,
        topLogprobs: 3,
        maxOutputTokens: 100,
        stop: ['END'],
        serviceTier: 'flex',
        promptCacheKey: 'k',
        promptCacheRetention: '24h',
        safetyIdentifier: 's',
      },
      { ...DEFAULT_RESPONSES_QUIRKS, stop: true },
    )
    assert.deepEqual(fields, {
      instructions: 'Be brief.',
      stream: true,
      store: false,
      include: ['reasoning.encrypted_content', 'message.output_text.logprobs'],
      text: { format, verbosity: 'low' },
      reasoning: { effort: 'high', summary: 'auto', context: 'all_turns' },
      temperature: 0.5,
      top_p: 0.9,
      presence_penalty: 1,
      frequency_penalty: -1,
      top_logprobs: 3,
      max_output_tokens: 100,
      stop: ['END'],
      service_tier: 'flex',
      prompt_cache_key: 'k',
      prompt_cache_retention: '24h',
      safety_identifier: 's',
    })
  })

  it('leaves out what OpenAI refuses: penalties and stop', () => {
    const request = encode({ presencePenalty: 1, frequencyPenalty: 1, stop: ['x'] })
    assert.ok(!('presence_penalty' in request) && !('frequency_penalty' in request) && !('stop' in request))
  })
})

describe('items as input', () => {
  const cases: readonly { readonly name: string; readonly items: readonly TurnItem[]; readonly input: unknown }[] = [
    {
      name: 'a text answer goes as a string with its phase, without our id',
      items: [said('Hi', 'final_answer')],
      input: [{ type: 'message', role: 'assistant', content: 'Hi', phase: 'final_answer' }],
    },
    {
      name: 'an answer of several parts keeps them',
      items: [
        {
          id: 'msg_a',
          type: 'message',
          status: 'completed',
          role: 'assistant',
          content: [
            { type: 'output_text', text: 'So', annotations: [], logprobs: [] },
            { type: 'refusal', refusal: 'no' },
          ],
        },
      ],
      input: [
        {
          type: 'message',
          role: 'assistant',
          content: [
            { type: 'output_text', text: 'So', annotations: [] },
            { type: 'refusal', refusal: 'no' },
          ],
        },
      ],
    },
    {
      name: 'an answer that says nothing is left out',
      items: [{ id: 'm', type: 'message', status: 'completed', role: 'assistant', content: [] }],
      input: [],
    },
    {
      name: 'calls and outputs keep their call id and lose ours',
      items: [call, output],
      input: [
        { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{"a":1}' },
        {
          type: 'function_call_output',
          call_id: 'c1',
          output: [
            { type: 'input_text', text: 'ok' },
            { type: 'input_image', image_url: 'data:image/png;base64,AA', detail: 'low' },
          ],
        },
      ],
    },
    {
      name: 'custom calls and outputs are their own',
      items: [
        { id: 'x', type: 'custom_tool_call', status: 'completed', call_id: 'c2', name: 'sql', input: 'SELECT' },
        { id: 'y', type: 'custom_tool_call_output', status: 'completed', call_id: 'c2', output: '1' },
      ],
      input: [
        { type: 'custom_tool_call', call_id: 'c2', name: 'sql', input: 'SELECT' },
        { type: 'custom_tool_call_output', call_id: 'c2', output: '1' },
      ],
    },
    {
      name: 'images, files and breakpoints go as they are',
      items: [
        {
          id: 'm',
          type: 'message',
          status: 'completed',
          role: 'developer',
          content: [
            { type: 'input_text', text: 't', prompt_cache_breakpoint: { mode: 'explicit' } },
            { type: 'input_image', image_url: 'https://x/y.png', detail: 'auto' },
            { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA' },
            { type: 'input_file', file_url: 'https://x/y.pdf' },
          ],
        },
      ],
      input: [
        {
          type: 'message',
          role: 'developer',
          content: [
            { type: 'input_text', text: 't', prompt_cache_breakpoint: { mode: 'explicit' } },
            { type: 'input_image', detail: 'auto', image_url: 'https://x/y.png' },
            { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA' },
            { type: 'input_file', file_url: 'https://x/y.pdf' },
          ],
        },
      ],
    },
    {
      name: 'sealed reasoning goes back under the id it was sealed for',
      items: [
        thought({
          summary: [{ type: 'summary_text', text: 's' }],
          encrypted_content: packReasoningState({ id: 'rs_theirs', encryptedContent: 'gAAA' }),
        }),
        call,
      ],
      input: [
        {
          type: 'reasoning',
          id: 'rs_theirs',
          summary: [{ type: 'summary_text', text: 's' }],
          encrypted_content: 'gAAA',
        },
        { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{"a":1}' },
      ],
    },
    {
      name: 'reasoning that nothing of the model follows is left out: it was cut off',
      items: [
        thought({ encrypted_content: packReasoningState({ id: null, encryptedContent: 'x' }) }),
        thought({ encrypted_content: packReasoningState({ id: null, encryptedContent: 'y' }) }),
        user('Go on.'),
      ],
      input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Go on.' }] }],
    },
    {
      name: 'OpenAI takes no reasoning that it did not seal, nor the state of another adapter',
      items: [
        thought({ content: [{ type: 'reasoning_text', text: 'hm' }], encrypted_content: '{"v":1,"details":[]}' }),
        said('Hi'),
      ],
      input: [{ type: 'message', role: 'assistant', content: 'Hi' }],
    },
  ]
  for (const { name, items, input } of cases) it(name, () => assert.deepEqual(inputOf(items), input))

  it('reasoning text goes back to servers that seal nothing', () => {
    const content = [{ type: 'reasoning_text' as const, text: 'hm' }]
    assert.deepEqual(inputOf([thought({ content }), said('Hi')], DEFAULT_RESPONSES_QUIRKS)[0], {
      type: 'reasoning',
      id: 'rs_ours',
      summary: [],
      content,
    })
  })

  it('a file id is refused: it would name a file of the operator', () => {
    const parts = [
      { type: 'input_image', file_id: 'file-1', detail: 'auto' },
      { type: 'input_file', file_id: 'file-1' },
    ] as const
    for (const part of parts) {
      const item: TurnItem = { id: 'm', type: 'message', status: 'completed', role: 'user', content: [part] }
      assert.throws(
        () => inputOf([item]),
        (error: Error) => error instanceof ModelError && error.kind === 'invalid_request' && error.param === 'input',
      )
    }
    const both = { type: 'input_file', file_id: 'file-1', file_data: 'AA' } as const
    const item: TurnItem = { id: 'm', type: 'message', status: 'completed', role: 'user', content: [both] }
    assert.ok(!JSON.stringify(inputOf([item])).includes('file-1'))
  })
})

describe('tools', () => {
  const tools: ModelTurn['tools'] = [
    { type: 'function', name: 'f', description: 'does f', parameters: { type: 'object' }, strict: true },
    { type: 'function', name: 'g', description: null, parameters: null, strict: false },
    {
      type: 'custom',
      name: 'sql',
      description: null,
      format: { type: 'grammar', syntax: 'lark', definition: 'start: "a"' },
    },
  ]
  const wire = [
    { type: 'function', name: 'f', description: 'does f', parameters: { type: 'object' }, strict: true },
    { type: 'function', name: 'g', parameters: { type: 'object', properties: {} }, strict: false },
    { type: 'custom', name: 'sql', format: { type: 'grammar', syntax: 'lark', definition: 'start: "a"' } },
  ]
  const choices: readonly (readonly [ModelTurn['toolChoice'], unknown])[] = [
    [{ mode: 'auto', allowed: null }, undefined],
    [{ mode: 'none', allowed: null }, 'none'],
    [{ mode: 'required', allowed: null }, 'required'],
    [
      { mode: 'required', allowed: ['sql'] },
      { type: 'custom', name: 'sql' },
    ],
    [
      { mode: 'auto', allowed: ['f', 'sql'] },
      {
        type: 'allowed_tools',
        mode: 'auto',
        tools: [
          { type: 'function', name: 'f' },
          { type: 'custom', name: 'sql' },
        ],
      },
    ],
  ]
  for (const [toolChoice, expected] of choices) {
    it(`the choice ${JSON.stringify(toolChoice)} keeps every tool`, () => {
      const request = encode({ tools, toolChoice })
      assert.deepEqual(request.tools, wire)
      assert.deepEqual(request.tool_choice, expected)
      assert.equal(request.parallel_tool_calls, undefined)
    })
  }

  it('are filtered for servers without allowed_tools', () => {
    const request = encode({ tools, toolChoice: { mode: 'required', allowed: ['f', 'g'] } }, DEFAULT_RESPONSES_QUIRKS)
    assert.deepEqual(request.tools, wire.slice(0, 2))
    assert.equal(request.tool_choice, 'required')
  })

  it('of the provider stand beside the others, and a choice may name them', () => {
    const hosted = {
      tools: [{ type: 'web_search_preview' }, { type: 'file_search', vector_store_ids: ['vs'] }],
      allowed: null,
      maxCalls: 2,
      include: ['file_search_call.results'],
    } as const satisfies ModelTurn['hosted']
    const all = encode({ tools, hosted: { ...hosted, tools: [...hosted.tools] } })
    assert.deepEqual(all.tools, [...wire, ...hosted.tools])
    assert.equal(all.max_tool_calls, 2)
    assert.deepEqual(all.include, ['reasoning.encrypted_content', 'file_search_call.results'])

    const choose = (
      toolChoice: ModelTurn['toolChoice'],
      allowed: readonly { type: 'file_search' }[],
      quirks = OPENAI,
    ) => encode({ tools, toolChoice, hosted: { ...hosted, tools: [...hosted.tools], allowed: [...allowed] } }, quirks)
    const forced = choose({ mode: 'required', allowed: [] }, [{ type: 'file_search' }])
    assert.deepEqual(forced.tool_choice, { type: 'file_search' })
    assert.equal(Array.isArray(forced.tools) && forced.tools.length, 5)
    const some = choose({ mode: 'auto', allowed: ['f'] }, [{ type: 'file_search' }])
    assert.deepEqual(some.tool_choice, {
      type: 'allowed_tools',
      mode: 'auto',
      tools: [{ type: 'function', name: 'f' }, { type: 'file_search' }],
    })
    const filtered = choose({ mode: 'auto', allowed: ['f'] }, [{ type: 'file_search' }], DEFAULT_RESPONSES_QUIRKS)
    assert.deepEqual(filtered.tools, [wire[0], hosted.tools[1]])
    assert.equal(filtered.tool_choice, undefined)
  })

  it('one at a time is said, and without tools nothing is', () => {
    assert.equal(encode({ tools, parallelToolCalls: false }).parallel_tool_calls, false)
    const without = encode({ parallelToolCalls: false, toolChoice: { mode: 'none', allowed: null } })
    assert.ok(!('tools' in without) && !('tool_choice' in without) && !('parallel_tool_calls' in without))
  })
})
