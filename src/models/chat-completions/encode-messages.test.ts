import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { StoredPart } from '../../protocol/content.ts'
import { ModelError, type TurnItem } from '../model.ts'
import { encodeMessages } from './encode-messages.ts'
import { type Quirks, withQuirks } from './quirks.ts'
import { packReasoningState } from './reasoning-state.ts'

const status = 'completed'
const text = (value: string): StoredPart => ({ type: 'input_text', text: value })
const input = (role: 'user' | 'system' | 'developer', ...content: StoredPart[]): TurnItem => ({
  id: 'm',
  type: 'message',
  status,
  role,
  content,
})
const user = (value: string) => input('user', text(value))
const assistant = (value: string): TurnItem => ({
  id: 'm',
  type: 'message',
  status,
  role: 'assistant',
  content: [{ type: 'output_text', text: value, annotations: [], logprobs: [] }],
})
const refusal = (value: string): TurnItem => ({
  id: 'm',
  type: 'message',
  status,
  role: 'assistant',
  content: [{ type: 'refusal', refusal: value }],
})
const call = (call_id: string, args = '{}'): TurnItem => ({
  id: 'f',
  type: 'function_call',
  status,
  call_id,
  name: 'f',
  arguments: args,
})
const output = (call_id: string, value: string | StoredPart[]): TurnItem => ({
  id: 'o',
  type: 'function_call_output',
  status,
  call_id,
  output: value,
})
const customCall = (call_id: string): TurnItem => ({
  id: 'c',
  type: 'custom_tool_call',
  status,
  call_id,
  name: 'c',
  input: 'x = "1"',
})
const customOutput = (call_id: string, value: string): TurnItem => ({
  id: 'o',
  type: 'custom_tool_call_output',
  status,
  call_id,
  output: value,
})
const reasoning = (value: string, encrypted_content?: string): TurnItem => ({
  id: 'r',
  type: 'reasoning',
  summary: [],
  content: value === '' ? [] : [{ type: 'reasoning_text', text: value }],
  ...(encrypted_content ? { encrypted_content } : {}),
})
const toolCall = (id: string, args = '{}') => ({ id, type: 'function', function: { name: 'f', arguments: args } })
const tool = (tool_call_id: string, content: string) => ({ role: 'tool', tool_call_id, content })
const image = (url: string, detail: 'low' | 'high' | 'auto' | 'original' = 'auto'): StoredPart => ({
  type: 'input_image',
  image_url: url,
  detail,
})
const base64 = (value: string) => Buffer.from(value).toString('base64')

const OPENAI: Partial<Quirks> = {
  developerRole: 'developer',
  systemMessages: 'anywhere',
  refusalField: true,
  fileParts: true,
  customTools: true,
}
type Case = {
  readonly title: string
  readonly items: readonly TurnItem[]
  readonly instructions?: string
  readonly quirks?: Partial<Quirks>
  readonly expected: unknown
}

const CASES: readonly Case[] = [
  {
    title: 'puts the instructions first and text as plain strings',
    instructions: 'Be brief.',
    items: [user('Hi'), assistant('Hello'), user('Bye')],
    quirks: OPENAI,
    expected: [
      { role: 'developer', content: 'Be brief.' },
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello' },
      { role: 'user', content: 'Bye' },
    ],
  },
  {
    title: 'keeps system and developer messages apart where the provider knows both',
    items: [input('system', text('S')), input('developer', text('D')), user('U')],
    quirks: OPENAI,
    expected: [
      { role: 'system', content: 'S' },
      { role: 'developer', content: 'D' },
      { role: 'user', content: 'U' },
    ],
  },
  {
    title: 'joins leading system messages and lets later ones speak as the user where only the first place is free',
    instructions: 'I',
    items: [input('developer', text('D')), user('U'), input('system', text('S'))],
    expected: [
      { role: 'system', content: 'I\n\nD' },
      { role: 'user', content: 'U' },
      { role: 'user', content: 'S' },
    ],
  },
  {
    title: 'sends images as parts, with a detail only where it says something',
    items: [
      input(
        'user',
        text('Look'),
        image('https://e.com/a.png', 'auto'),
        image('data:image/png;base64,AA', 'low'),
        image('https://e.com/b.png', 'original'),
      ),
    ],
    expected: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look' },
          { type: 'image_url', image_url: { url: 'https://e.com/a.png' } },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AA', detail: 'low' } },
          { type: 'image_url', image_url: { url: 'https://e.com/b.png', detail: 'high' } },
        ],
      },
    ],
  },
  {
    title: 'sends text files as text, by media type, by name, and from percent-encoded data',
    items: [
      input('user', { type: 'input_file', filename: 'a.bin', file_data: `data:text/csv;base64,${base64('ä,1')}` }),
      input('user', { type: 'input_file', filename: 'b.md', file_data: base64('# Hi') }),
      input('user', { type: 'input_file', filename: 'c', file_data: 'data:text/plain;charset=utf-8,a%20b' }),
    ],
    expected: [
      { role: 'user', content: "File 'a.bin':\nä,1" },
      { role: 'user', content: "File 'b.md':\n# Hi" },
      { role: 'user', content: "File 'c':\na b" },
    ],
  },
  {
    title: 'sends other files as file parts where the provider takes them',
    items: [input('user', text('Read'), { type: 'input_file', filename: 'a.pdf', file_data: 'JVBERg==' })],
    quirks: OPENAI,
    expected: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Read' },
          { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERg==' } },
        ],
      },
    ],
  },
  {
    title: 'makes one assistant message of a turn with text and parallel calls, and one tool message per call',
    items: [
      user('U'),
      assistant('Looking.'),
      call('a', '{"x":1}'),
      call('b'),
      output('b', 'B'),
      output('a', 'A'),
      assistant('Done'),
    ],
    expected: [
      { role: 'user', content: 'U' },
      { role: 'assistant', content: 'Looking.', tool_calls: [toolCall('a', '{"x":1}'), toolCall('b')] },
      tool('a', 'A'),
      tool('b', 'B'),
      { role: 'assistant', content: 'Done' },
    ],
  },
  {
    title: 'keeps steps apart, also when their call ids repeat',
    items: [user('U'), call('0'), output('0', 'first'), call('0'), output('0', 'second')],
    expected: [
      { role: 'user', content: 'U' },
      { role: 'assistant', content: null, tool_calls: [toolCall('0')] },
      tool('0', 'first'),
      { role: 'assistant', content: null, tool_calls: [toolCall('0')] },
      tool('0', 'second'),
    ],
  },
  {
    title: 'pulls an output to its call when the client put messages between them',
    items: [call('a'), user('By the way'), output('a', 'A')],
    expected: [
      { role: 'assistant', content: null, tool_calls: [toolCall('a')] },
      tool('a', 'A'),
      { role: 'user', content: 'By the way' },
    ],
  },
  {
    title: 'keeps two assistant messages in a row, and a message behind a call with it',
    items: [assistant('1'), assistant('2'), call('a'), assistant('3'), output('a', 'A')],
    expected: [
      { role: 'assistant', content: '1' },
      { role: 'assistant', content: '2', tool_calls: [toolCall('a')] },
      tool('a', 'A'),
      { role: 'assistant', content: '3' },
    ],
  },
  {
    title: 'sends images of tool outputs behind all tool messages, with a note',
    items: [
      call('a'),
      call('b'),
      output('a', [text('see'), image('https://e.com/a.png')]),
      output('b', [image('https://e.com/b.png')]),
    ],
    expected: [
      { role: 'assistant', content: null, tool_calls: [toolCall('a'), toolCall('b')] },
      tool('a', 'see'),
      tool('b', 'The result is in the next user message.'),
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Returned by the tool call a:' },
          { type: 'image_url', image_url: { url: 'https://e.com/a.png' } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Returned by the tool call b:' },
          { type: 'image_url', image_url: { url: 'https://e.com/b.png' } },
        ],
      },
    ],
  },
  {
    title: 'sends refusals in their field where there is one',
    items: [refusal('No.')],
    quirks: OPENAI,
    expected: [{ role: 'assistant', content: null, refusal: 'No.' }],
  },
  { title: 'and as text elsewhere', items: [refusal('No.')], expected: [{ role: 'assistant', content: 'No.' }] },
  {
    title: 'leaves out assistant turns with nothing in them',
    items: [reasoning('Hmm'), assistant(''), user('U')],
    expected: [{ role: 'user', content: 'U' }],
  },
  {
    title: 'gives a call without arguments an empty object',
    items: [call('a', ''), output('a', '')],
    expected: [{ role: 'assistant', content: null, tool_calls: [toolCall('a')] }, tool('a', '')],
  },
  {
    title: 'sends custom calls as they are where they are known',
    items: [customCall('c'), customOutput('c', 'ok')],
    quirks: OPENAI,
    expected: [
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c', type: 'custom', custom: { name: 'c', input: 'x = "1"' } }],
      },
      tool('c', 'ok'),
    ],
  },
  {
    title: 'and as functions with one string elsewhere',
    items: [customCall('c'), customOutput('c', 'ok')],
    expected: [
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c', type: 'function', function: { name: 'c', arguments: '{"input":"x = \\"1\\""}' } }],
      },
      tool('c', 'ok'),
    ],
  },
  {
    title: 'leaves reasoning out by default',
    items: [reasoning('Hmm'), assistant('A')],
    expected: [{ role: 'assistant', content: 'A' }],
  },
  {
    title: 'sends reasoning back with the calls since the last user message only',
    items: [
      reasoning('old'),
      call('a'),
      output('a', 'A'),
      user('U'),
      reasoning('new'),
      call('b'),
      output('b', 'B'),
      reasoning('late'),
      assistant('x'),
    ],
    quirks: { reasoningInput: { field: 'reasoning_content', when: 'tool-calls' } },
    expected: [
      { role: 'assistant', content: null, tool_calls: [toolCall('a')] },
      tool('a', 'A'),
      { role: 'user', content: 'U' },
      { role: 'assistant', content: null, reasoning_content: 'new', tool_calls: [toolCall('b')] },
      tool('b', 'B'),
      { role: 'assistant', content: 'x' },
    ],
  },
  {
    title: 'sends all reasoning back where that is wanted, in the field that is wanted',
    items: [reasoning('one'), assistant('1'), reasoning('two'), assistant('2')],
    quirks: { reasoningInput: { field: 'reasoning', when: 'always' } },
    expected: [
      { role: 'assistant', content: '1', reasoning: 'one' },
      { role: 'assistant', content: '2', reasoning: 'two' },
    ],
  },
  {
    title: 'gives back opaque reasoning details, and ignores a state that is not ours',
    items: [
      reasoning('t', packReasoningState({ details: [{ type: 'reasoning.text', signature: 's' }], callExtras: {} })),
      assistant('1'),
      user('U'),
      reasoning('t', 'foreign'),
      assistant('2'),
    ],
    quirks: { reasoningState: 'reasoning_details' },
    expected: [
      { role: 'assistant', content: '1', reasoning_details: [{ type: 'reasoning.text', signature: 's' }] },
      { role: 'user', content: 'U' },
      { role: 'assistant', content: '2' },
    ],
  },
  {
    title: 'gives back thought signatures on the calls they came with',
    items: [
      reasoning('', packReasoningState({ details: [], callExtras: { a: { google: { thought_signature: 's' } } } })),
      call('a'),
      call('b'),
      output('a', 'A'),
      output('b', 'B'),
    ],
    quirks: { reasoningState: 'extra_content' },
    expected: [
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ ...toolCall('a'), extra_content: { google: { thought_signature: 's' } } }, toolCall('b')],
      },
      tool('a', 'A'),
      tool('b', 'B'),
    ],
  },
]

const REFUSED: readonly (readonly [string, readonly TurnItem[], RegExp])[] = [
  ['a call without an output', [call('a'), user('U')], /No tool output found for function call a\./],
  [
    'an output without a call',
    [user('U'), output('a', 'A')],
    /No tool call found for function call output with call_id a\./,
  ],
  [
    'an image that is only an id',
    [input('user', { type: 'input_image', file_id: 'file_1', detail: 'auto' })],
    /file_id/,
  ],
  ['a file that is only a URL', [input('user', { type: 'input_file', file_url: 'https://e.com/a.pdf' })], /file_data/],
  [
    'a binary file where there are no file parts',
    [input('user', { type: 'input_file', filename: 'a.pdf', file_data: 'JVBERg==' })],
    /only text files/,
  ],
  ['an image in a system message', [input('system', image('https://e.com/a.png'))], /only text in system messages/],
]

describe('encode messages', () => {
  for (const { title, items, instructions = null, quirks = {}, expected } of CASES) {
    it(title, () => assert.deepEqual(encodeMessages({ instructions, items }, withQuirks(quirks)), expected))
  }
  for (const [title, items, message] of REFUSED) {
    it(`refuses ${title}, naming the field`, () => {
      assert.throws(
        () => encodeMessages({ instructions: null, items }, withQuirks()),
        (error) =>
          error instanceof ModelError &&
          error.kind === 'invalid_request' &&
          error.param === 'input' &&
          message.test(error.message),
      )
    })
  }
})
