import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  assistant,
  functionCall,
  functionOutput,
  inputMessage,
  inputText,
  reasoning,
  user,
} from '../../../test/support/turn-items.ts'
import type { StoredPart } from '../../protocol/content.ts'
import { ModelError, type TurnItem } from '../model.ts'
import { type ContentsDialect, encodeContents } from './encode-contents.ts'
import { packThoughtState } from './thought-state.ts'

const PLAIN: ContentsDialect = {
  vertex: false,
  fileUrls: true,
  signatures: false,
  systemInstruction: true,
  mediaInResponses: false,
}
const encode = (
  items: readonly TurnItem[],
  dialect: Partial<ContentsDialect> = {},
  instructions: string | null = null,
) => encodeContents({ instructions, items }, { ...PLAIN, ...dialect })
const contents = (items: readonly TurnItem[], dialect: Partial<ContentsDialect> = {}) => encode(items, dialect).contents

const said = (text: string) => ({ role: 'user', parts: [{ text }] })
const answered = (...parts: readonly object[]) => ({ role: 'model', parts })
const called = (id: string, name = 'f', args: object = {}) => ({ functionCall: { id, name, args } })
const responded = (id: string, response: object, name = 'f') => ({ functionResponse: { id, name, response } })
const image: StoredPart = { type: 'input_image', image_url: 'data:image/png;base64,iVBOR', detail: 'auto' }

const CASES: readonly (readonly [string, readonly TurnItem[], readonly object[]])[] = [
  ['a text', [user('Hi')], [said('Hi')]],
  [
    'what is said twice is one content',
    [user('A'), user('B')],
    [{ role: 'user', parts: [{ text: 'A' }, { text: 'B' }] }],
  ],
  [
    'a conversation takes turns',
    [user('A'), assistant('B'), user('C')],
    [said('A'), answered({ text: 'B' }), said('C')],
  ],
  [
    'a text and calls of one step are one content, and the outputs one',
    [
      user('A'),
      assistant('B'),
      functionCall('1'),
      functionCall('2', 'g', '{"x":1}'),
      functionOutput('1', 'one'),
      functionOutput('2', '{"y":2}'),
    ],
    [
      said('A'),
      answered({ text: 'B' }, called('1'), called('2', 'g', { x: 1 })),
      { role: 'user', parts: [responded('1', { output: 'one' }), responded('2', { y: 2 }, 'g')] },
    ],
  ],
  [
    'outputs go where their calls are, in the order of the calls, before what the user said',
    [
      user('A'),
      functionCall('1'),
      functionCall('2'),
      user('B'),
      functionOutput('2', 'two'),
      functionOutput('1', 'one'),
    ],
    [
      said('A'),
      answered(called('1'), called('2')),
      { role: 'user', parts: [responded('1', { output: 'one' }), responded('2', { output: 'two' }), { text: 'B' }] },
    ],
  ],
  [
    'steps one after the other stay apart',
    [
      user('A'),
      functionCall('1'),
      functionOutput('1', 'one'),
      functionCall('2'),
      functionOutput('2', 'two'),
      assistant('B'),
    ],
    [
      said('A'),
      answered(called('1')),
      { role: 'user', parts: [responded('1', { output: 'one' })] },
      answered(called('2')),
      { role: 'user', parts: [responded('2', { output: 'two' })] },
      answered({ text: 'B' }),
    ],
  ],
  [
    'a model that speaks first has a silence before it',
    [assistant('A'), user('B')],
    [said(' '), answered({ text: 'A' }), said('B')],
  ],
  ['nothing at all is a silence', [], [said(' ')]],
  ['an empty text is a silence', [user('')], [said(' ')]],
  [
    'arguments that are no object keep their words',
    [user('A'), functionCall('1', 'f', '{"half'), functionOutput('1', '')],
    [
      said('A'),
      answered(called('1', 'f', { arguments: '{"half' })),
      { role: 'user', parts: [responded('1', { output: '' })] },
    ],
  ],
  [
    'a list is no object either, and an output of one is a text',
    [user('A'), functionCall('1', 'f', ''), functionOutput('1', '[1,2]')],
    [said('A'), answered(called('1')), { role: 'user', parts: [responded('1', { output: '[1,2]' })] }],
  ],
]

describe('items as contents of Gemini', () => {
  for (const [title, items, expected] of CASES) it(title, () => assert.deepEqual(contents(items), expected))

  it('puts what the developer says first into the system instruction, and what comes later into its place', () => {
    const developer = (text: string) => inputMessage('developer', inputText(text))
    const encoded = encode([developer('B'), user('C'), assistant('D'), developer('E')], {}, 'A')
    assert.deepEqual(encoded.systemInstruction, { parts: [{ text: 'A' }, { text: 'B' }] })
    assert.deepEqual(encoded.contents, [said('C'), answered({ text: 'D' }), said('E')])
  })

  it('opens the first message with the instructions of a model that takes none', () => {
    const encoded = encode([user('B')], { systemInstruction: false }, 'A')
    assert.deepEqual(encoded, { contents: [{ role: 'user', parts: [{ text: 'A' }, { text: 'B' }] }] })
  })

  it('leaves the ids of calls out at Vertex AI, which knows none', () => {
    assert.deepEqual(contents([user('A'), functionCall('1'), functionOutput('1', 'x')], { vertex: true }).slice(1), [
      answered({ functionCall: { name: 'f', args: {} } }),
      { role: 'user', parts: [{ functionResponse: { name: 'f', response: { output: 'x' } } }] },
    ])
  })

  it('puts images of an output into the function response, or behind all of them for a model that takes them nowhere else', () => {
    const items = [user('A'), functionCall('1'), functionOutput('1', [inputText('see'), image])]
    const inlineData = { mimeType: 'image/png', data: 'iVBOR' }
    assert.deepEqual(contents(items, { mediaInResponses: true }).at(-1)?.parts, [
      { functionResponse: { id: '1', name: 'f', response: { output: 'see' }, parts: [{ inlineData }] } },
    ])
    assert.deepEqual(contents(items).at(-1)?.parts, [
      responded('1', { output: 'see' }),
      { text: 'Returned by the call 1 of f:' },
      { inlineData },
    ])
  })

  const REFUSED: readonly (readonly [string, readonly TurnItem[], RegExp])[] = [
    ['a call without its output', [functionCall('1')], /No tool output found for function call 1/],
    ['an output without its call', [functionOutput('1', 'x')], /No tool call found/],
    ['an image from the developer', [inputMessage('developer', image)], /only text in developer messages/],
  ]
  for (const [title, items, message] of REFUSED) {
    it(`refuses ${title}`, () =>
      assert.throws(
        () => contents(items),
        (error: unknown) => {
          assert.ok(error instanceof ModelError && error.kind === 'invalid_request' && error.param === 'input')
          assert.match(error.message, message)
          return true
        },
      ))
  }
})

describe('signatures', () => {
  const modelParts = (items: readonly TurnItem[], signatures = true) =>
    contents([user('A'), ...items], { signatures }).flatMap(({ role, parts }) => (role === 'model' ? parts : []))
  const answer = functionOutput('1', 'x')
  const signedCall = reasoning(packThoughtState({ call: 'sig' }))

  it('go back onto the call they came with, and parallel calls have one', () => {
    const items = [signedCall, functionCall('1'), functionCall('2'), answer, functionOutput('2', 'y')]
    assert.deepEqual(modelParts(items), [{ ...called('1'), thoughtSignature: 'sig' }, called('2')])
  })

  it('of steps one after the other stay with their steps', () => {
    const other = reasoning(packThoughtState({ call: 'other' }))
    const items = [signedCall, functionCall('1'), answer, other, functionCall('2'), functionOutput('2', 'y')]
    assert.deepEqual(
      modelParts(items).map(({ thoughtSignature }) => thoughtSignature),
      ['sig', 'other'],
    )
  })

  it('are the documented dummy where a first call has none, for models that want one', () => {
    const items = [functionCall('1'), functionCall('2'), answer, functionOutput('2', 'y')]
    assert.deepEqual(
      modelParts(items).map(({ thoughtSignature }) => thoughtSignature),
      ['skip_thought_signature_validator', undefined],
    )
    assert.ok(modelParts(items, false).every(({ thoughtSignature }) => thoughtSignature === undefined))
  })

  it('cut a text into the parts it came in', () => {
    const next = { length: 4, signature: 'a' }
    const previous = [
      { start: 8, length: 5, signature: 'b' },
      { start: 13, length: 0, signature: 'c' },
    ]
    const items = [
      reasoning(packThoughtState({ next })),
      assistant('One two three'),
      reasoning(packThoughtState({ previous })),
    ]
    assert.deepEqual(modelParts(items), [
      { text: 'One ', thoughtSignature: 'a' },
      { text: 'two ' },
      { text: 'three', thoughtSignature: 'b' },
      { text: '', thoughtSignature: 'c' },
    ])
  })

  it('of places that are no longer there are left out', () => {
    const previous = [{ start: 3, length: 9, signature: 'b' }]
    assert.deepEqual(modelParts([assistant('Short'), reasoning(packThoughtState({ previous }))]), [{ text: 'Short' }])
  })

  it('of a thought, or of a part of their own, stand where they stood', () => {
    const state = packThoughtState({ thought: 't', next: { length: 0, signature: 'n' } })
    assert.deepEqual(modelParts([reasoning(state, 'I thought.'), assistant('B')]), [
      { text: 'I thought.', thought: true, thoughtSignature: 't' },
      { text: '', thoughtSignature: 'n' },
      { text: 'B' },
    ])
  })

  it('of anyone else are no state of ours, and thoughts without one are not sent back', () => {
    for (const state of [undefined, 'abc', '{"v":1,"callExtras":{}}', '{"gemini":2,"call":"x"}', '[]']) {
      assert.deepEqual(modelParts([reasoning(state, 'Hm.'), assistant('B')]), [{ text: 'B' }])
    }
  })
})
