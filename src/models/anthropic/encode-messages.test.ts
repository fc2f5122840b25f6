import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { StoredPart } from '../../protocol/content.ts'
import { ModelError, type TurnItem } from '../model.ts'
import { encodeMessages } from './encode-messages.ts'
import { packThinking } from './thinking-state.ts'

const completed = { status: 'completed' as const }
const input = (role: 'user' | 'developer' | 'system', ...content: (string | StoredPart)[]): TurnItem => ({
  ...completed,
  id: 'msg_1',
  type: 'message',
  role,
  content: content.map((part) => (typeof part === 'string' ? { type: 'input_text', text: part } : part)),
})
const user = (...content: (string | StoredPart)[]) => input('user', ...content)
const said = (text: string): TurnItem => ({
  ...completed,
  id: 'msg_2',
  type: 'message',
  role: 'assistant',
  content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
})
const call = (call_id: string, name = 'f', args = '{"a":1}'): TurnItem => ({
  ...completed,
  id: `fc_${call_id}`,
  type: 'function_call',
  call_id,
  name,
  arguments: args,
})
const output = (call_id: string, result: string | StoredPart[] = 'done'): TurnItem => ({
  ...completed,
  id: `fco_${call_id}`,
  type: 'function_call_output',
  call_id,
  output: result,
})
const block = (thinking: string) => ({ type: 'thinking' as const, thinking, signature: `sig-${thinking}` })
const thought = (thinking: string): TurnItem => ({
  id: 'rs_1',
  type: 'reasoning',
  summary: [{ type: 'summary_text', text: thinking }],
  encrypted_content: packThinking(block(thinking)),
})
const text = (value: string) => ({ type: 'text', text: value })
const use = (id: string, name = 'f', args: object = { a: 1 }) => ({ type: 'tool_use', id, name, input: args })
const result = (id: string, content: unknown = 'done') => ({ type: 'tool_result', tool_use_id: id, content })

const encode = (items: readonly TurnItem[], systemMessages = false, instructions: string | null = null) =>
  encodeMessages({ instructions, items }, { systemMessages })
const messagesOf = (items: readonly TurnItem[], systemMessages = false) => encode(items, systemMessages).messages
/** `role: content` of every message. */
const told = (items: readonly TurnItem[], systemMessages = false) =>
  messagesOf(items, systemMessages).map(({ role, content }) => [role, content])

describe('items become messages', () => {
  it('instructions and leading system and developer messages are the system prompt, in their order', () => {
    const { system, messages } = encode([input('developer', 'B'), input('system', 'C'), user('hi')], false, 'A')
    assert.deepEqual(system, [text('A'), text('B'), text('C')])
    assert.deepEqual(messages, [{ role: 'user', content: [text('hi')] }])
  })

  const later: readonly [string, readonly TurnItem[], boolean, readonly string[]][] = [
    ['at the end', [user('u'), input('developer', 'd')], true, ['user:u', 'system:d']],
    [
      'before the answer',
      [user('u'), input('developer', 'd'), said('a'), user('v')],
      true,
      ['user:u', 'system:d', 'assistant:a', 'user:v'],
    ],
    ['two in a row', [user('u'), input('system', 'd'), input('system', 'e')], true, ['user:u', 'system:d,e']],
    [
      'before a user message',
      [user('u'), said('a'), input('system', 'd'), user('v')],
      true,
      ['user:u', 'assistant:a', 'user:<d>,v'],
    ],
    ['between user messages', [user('u'), input('system', 'd'), user('v')], true, ['user:u,<d>,v']],
    ['for a model without them', [user('u'), input('system', 'd')], false, ['user:u,<d>']],
  ]
  for (const [where, items, systemMessages, expected] of later) {
    it(`a later system message ${where} is ${expected.join(' ')}`, () => {
      const short = messagesOf(items, systemMessages).map(
        ({ role, content }) =>
          `${role}:${content.map((one) => ('text' in one ? String(one.text).replace(/^<developer_message>\n(.*)\n<\/developer_message>$/, '<$1>') : '?')).join(',')}`,
      )
      assert.deepEqual(short, expected)
    })
  }

  it('one side in a row is one message, whatever it was made of', () => {
    assert.deepEqual(told([user('a'), user('b'), said('c'), said('d'), user('e')]), [
      ['user', [text('a'), text('b')]],
      ['assistant', [text('c'), text('d')]],
      ['user', [text('e')]],
    ])
  })

  it('a conversation that begins or ends with the assistant gets what the provider demands around it', () => {
    assert.deepEqual(
      messagesOf([said('Hello, I am here.')]).map(({ role }) => role),
      ['user', 'assistant', 'user'],
    )
    assert.deepEqual(
      messagesOf([]).map(({ role }) => role),
      ['user'],
    )
  })

  it('text without anything to see is left out, and a message with it', () => {
    assert.deepEqual(told([user('a', ' \n'), said(''), user('  '), user('b')]), [['user', [text('a'), text('b')]]])
  })
})

describe('calls and their outputs', () => {
  it('outputs stand at the start of the message after their calls, wherever the client put them', () => {
    const items = [user('u'), call('1'), call('2'), user('meanwhile'), output('2', 'two'), output('1', 'one')]
    assert.deepEqual(told(items), [
      ['user', [text('u')]],
      ['assistant', [use('1'), use('2')]],
      ['user', [result('1', 'one'), result('2', 'two'), text('meanwhile')]],
    ])
  })

  it('a call id that came again, or that this provider would refuse, is rewritten on both sides', () => {
    const items = [user('u'), call('call.0'), output('call.0', 'a'), call('call.0'), output('call.0', 'b')]
    assert.deepEqual(told(items).slice(1), [
      ['assistant', [use('call_0')]],
      ['user', [result('call_0', 'a')]],
      ['assistant', [use('call_0_2')]],
      ['user', [result('call_0_2', 'b')]],
    ])
  })

  for (const [args, expected] of [
    ['', {}],
    ['{"a":{"b":[1]}}', { a: { b: [1] } }],
    ['[1]', { arguments: '[1]' }],
    ['{"a":', { arguments: '{"a":' }],
  ] as const) {
    it(`arguments '${args}' are the input ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(messagesOf([user('u'), call('1', 'f', args), output('1')])[1]?.content, [
        use('1', 'f', expected),
      ])
    })
  }

  it('a custom call is a call with one string', () => {
    const custom: TurnItem = {
      ...completed,
      id: 'ctc_1',
      type: 'custom_tool_call',
      call_id: '1',
      name: 'c',
      input: 'x',
    }
    const answer: TurnItem = { ...completed, id: 'ctco_1', type: 'custom_tool_call_output', call_id: '1', output: 'y' }
    assert.deepEqual(messagesOf([user('u'), custom, answer])[1]?.content, [use('1', 'c', { input: 'x' })])
  })

  it('images and files of an output stay in it; an output that was not finished is an error', () => {
    const image: StoredPart = { type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: 'auto' }
    const cut: TurnItem = {
      ...output('1', [{ type: 'input_text', text: 'see' }, image]),
      status: 'incomplete',
    } as TurnItem
    const source = { type: 'base64', media_type: 'image/png', data: 'AAAA' }
    assert.deepEqual(messagesOf([user('u'), call('1'), cut])[2]?.content, [
      { ...result('1', [text('see'), { type: 'image', source }]), is_error: true },
    ])
    assert.deepEqual(messagesOf([user('u'), call('1'), output('1', [])])[2]?.content, [result('1', '')])
  })

  it('a breakpoint in an output stands behind it', () => {
    const part = { type: 'input_text' as const, text: 'x', prompt_cache_breakpoint: { mode: 'explicit' as const } }
    assert.deepEqual(messagesOf([user('u'), call('1'), output('1', [part])])[2]?.content, [
      { ...result('1', [text('x')]), cache_control: { type: 'ephemeral' } },
    ])
  })

  it('a call without an output, and an output without a call, are refused', () => {
    for (const items of [
      [user('u'), call('1')],
      [user('u'), output('1')],
    ]) {
      assert.throws(
        () => messagesOf(items),
        (error) => error instanceof ModelError && error.param === 'input',
      )
    }
  })
})

describe('thinking', () => {
  it('goes back unchanged and where it came, also between calls', () => {
    const items = [user('u'), thought('a'), said('b'), call('1'), thought('c'), call('2'), output('1'), output('2')]
    assert.deepEqual(messagesOf(items)[1]?.content, [block('a'), text('b'), use('1'), block('c'), use('2')])
  })

  it('of another provider, or without its state, is not sent', () => {
    const foreign: TurnItem = { id: 'rs', type: 'reasoning', summary: [], encrypted_content: '{"v":1,"details":[]}' }
    const bare: TurnItem = { id: 'rs', type: 'reasoning', summary: [{ type: 'summary_text', text: 'x' }] }
    assert.deepEqual(told([user('u'), foreign, bare, said('a'), user('v')])[1], ['assistant', [text('a')]])
  })

  it('that led to nothing is left out: it cannot stand at the end of a message', () => {
    assert.deepEqual(told([user('u'), thought('a'), user('v')]), [['user', [text('u'), text('v')]]])
    assert.deepEqual(told([user('u'), said('x'), thought('a'), user('v')])[1], ['assistant', [text('x')]])
  })
})

describe('media', () => {
  const image = (image_url: string): StoredPart => ({ type: 'input_image', image_url, detail: 'auto' })
  const file = (fields: object): StoredPart => ({ type: 'input_file', ...fields })
  const base64 = (media_type: string, data: string) => ({ type: 'base64', media_type, data })
  const taken: readonly [string, StoredPart, object][] = [
    [
      'an image by URL',
      image('https://x.test/a.png'),
      { type: 'image', source: { type: 'url', url: 'https://x.test/a.png' } },
    ],
    ['an image as data', image('data:image/jpg;base64,AAAA'), { type: 'image', source: base64('image/jpeg', 'AAAA') }],
    [
      'a PDF as data',
      file({ filename: 'a.pdf', file_data: 'data:application/pdf;base64,AAAA' }),
      { type: 'document', source: base64('application/pdf', 'AAAA'), title: 'a.pdf' },
    ],
    [
      'a PDF as bare base64',
      file({ filename: 'a.PDF', file_data: 'AAAA' }),
      { type: 'document', source: base64('application/pdf', 'AAAA'), title: 'a.PDF' },
    ],
    [
      'a PDF by URL',
      file({ file_url: 'https://x.test/a' }),
      { type: 'document', source: { type: 'url', url: 'https://x.test/a' } },
    ],
    [
      'a text file',
      file({ filename: 'a.md', file_data: Buffer.from('# Hi').toString('base64') }),
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: '# Hi' }, title: 'a.md' },
    ],
  ]
  for (const [what, part, expected] of taken) {
    it(`${what} is taken`, () => assert.deepEqual(messagesOf([user(part)])[0]?.content, [expected]))
  }

  const refused: readonly [string, StoredPart, RegExp][] = [
    ['an image by file_id', { type: 'input_image', file_id: 'file_1', detail: 'auto' }, /file_id/],
    ['an image of another type', image('data:image/tiff;base64,AAAA'), /image\/tiff/],
    ['a spreadsheet', file({ filename: 'a.xlsx', file_data: 'AAAA' }), /a\.xlsx.*PDF and text/],
    ['a text file by URL', file({ file_url: 'https://x.test/a.txt' }), /only PDFs by URL/],
    ['a file by id', file({ file_id: 'file_1' }), /by id/],
  ]
  for (const [what, part, message] of refused) {
    it(`${what} is refused by name`, () => {
      assert.throws(
        () => messagesOf([user(part)]),
        (error) => error instanceof ModelError && error.kind === 'invalid_request' && message.test(error.message),
      )
    })
  }

  it('system messages hold text only', () => {
    assert.throws(() => messagesOf([input('developer', image('https://x.test/a.png'))]), /only text in developer/)
  })
})
