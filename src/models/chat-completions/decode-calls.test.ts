import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { brief, calls, decode, delta, type Json, stop, whole } from '../../../test/fakes/chat-decode.ts'

const CASES: readonly (readonly [title: string, chunks: readonly (Json | string)[], expected: readonly string[]])[] = [
  [
    'calls by index',
    [
      calls({ index: 0, id: 'a', function: { name: 'get_time', arguments: '{' } }),
      calls({ index: 0, function: { arguments: '}' } }),
      stop('tool_calls'),
    ],
    ['function get_time#a {}', 'finish tool_calls'],
  ],
  [
    'calls by id only',
    [
      calls(
        { id: 'a', function: { name: 'get_time', arguments: '' } },
        { id: 'b', function: { name: 'get_weather', arguments: '' } },
      ),
      calls({ id: 'b', function: { arguments: '{"x":1}' } }, { id: 'a', function: { arguments: '{"y":2}' } }),
      stop(),
    ],
    ['function get_time#a {"y":2}', 'function get_weather#b {"x":1}', 'finish tool_calls'],
  ],
  [
    'calls with neither',
    [
      calls(whole('get_time', '{"a":1}')),
      calls(whole('get_time', '{"b":')),
      calls({ function: { arguments: '2}' } }),
      stop(),
    ],
    ['function get_time#null {"a":1}', 'function get_time#null {"b":2}', 'finish tool_calls'],
  ],
  [
    'whole calls at the same index',
    [
      calls(whole('get_time', '{"a":1}', { index: 0, id: '' }), whole('get_time', '{"b":2}', { index: 0, id: '' })),
      stop(),
    ],
    ['function get_time#null {"a":1}', 'function get_time#null {"b":2}', 'finish tool_calls'],
  ],
  [
    'whole calls at the same index with ids',
    [
      calls(whole('get_time', '{}', { index: 0, id: 'a' })),
      calls(whole('get_time', '{}', { index: 0, id: 'b' })),
      stop(),
    ],
    ['function get_time#a {}', 'function get_time#b {}', 'finish tool_calls'],
  ],
  [
    'a name that is repeated with every piece',
    [
      calls({ index: 0, id: 'a', function: { name: 'get_time', arguments: '{"x"' } }),
      calls({ index: 0, id: 'a', function: { name: 'get_time', arguments: ':1}' } }),
      stop(),
    ],
    ['function get_time#a {"x":1}', 'finish tool_calls'],
  ],
  [
    'a name in pieces',
    [calls({ index: 0, id: 'a', function: { name: 'get_' } }), calls({ index: 0, function: { name: 'time' } }), stop()],
    ['function get_time#a {}', 'finish tool_calls'],
  ],
  [
    'a name after the arguments',
    [
      calls({ index: 0, id: 'a', function: { arguments: '{"x":1}' } }),
      calls({ index: 0, function: { name: 'get_time' } }),
      stop(),
    ],
    ['function get_time#a {"x":1}', 'finish tool_calls'],
  ],
  [
    'arguments as an object',
    [calls(whole('get_time', { x: [1] }, { index: 0, id: 'a' })), stop()],
    ['function get_time#a {"x":[1]}', 'finish tool_calls'],
  ],
  [
    'no arguments at all',
    [calls({ index: 0, id: 'a', function: { name: 'get_time', arguments: null } }), stop()],
    ['function get_time#a {}', 'finish tool_calls'],
  ],
  [
    'a custom call',
    [
      calls({ index: 0, id: 'a', type: 'custom', custom: { name: 'get_time', input: '' } }),
      calls({ index: 0, custom: { input: 'x y' } }),
      stop('tool_calls'),
    ],
    ['custom get_time#a x y', 'finish tool_calls'],
  ],
  [
    'white space behind arguments that are complete',
    [
      calls(whole('get_time', '{}', { index: 0, id: 'a' })),
      calls(whole('get_time', '{}', { index: 1, id: 'b' })),
      calls({ index: 0, function: { arguments: '\n' } }),
      stop(),
    ],
    ['function get_time#a {}', 'function get_time#b {}', 'finish tool_calls'],
  ],
  [
    'text around calls',
    [delta({ content: 'a' }), calls(whole('get_time', '{}', { index: 0, id: 'x' })), delta({ content: 'b' }), stop()],
    ['text a', 'function get_time#x {}', 'text b', 'finish tool_calls'],
  ],
  [
    'a call cut off by the limit',
    [calls(whole('get_time', '{"x', { index: 0, id: 'a' })), stop('length')],
    ['function get_time#a {"x', 'finish length'],
  ],
  ['tool_calls without a call', [delta({ content: 'a' }), stop('tool_calls')], ['text a', 'finish stop']],
]

describe('decode calls', () => {
  for (const [title, chunks, expected] of CASES) {
    it(`reads ${title}`, () => assert.deepEqual(brief(decode(chunks)), expected))
  }
})
