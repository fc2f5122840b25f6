import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createJsonStringStream } from './json-string-stream.ts'

/** Feeds `text` cut at the given places; the pieces that came out, without empty ones. */
function read(text: string, cuts: readonly number[] = []): string[] {
  const stream = createJsonStringStream('input')
  const places = [...cuts.map((cut) => cut % (text.length + 1)), 0, text.length].sort((a, b) => a - b)
  const pieces = places.slice(1).map((end, index) => stream.push(text.slice(places[index], end)))
  return [...pieces, stream.end()].filter((piece) => piece !== '')
}
const whole = (text: string, cuts?: readonly number[]) => read(text, cuts).join('')

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom('"', '\\', '/', 'u', '\ud83d', '\ude00', '\n', '\u0000', '{', '}', ',', ':', 'é'),
  }),
)
const anyCuts = fc.array(fc.nat(), { maxLength: 30 })
const escapeAll = (text: string) =>
  `"${[...Array(text.length).keys()].map((i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"`

describe('json-string-stream', () => {
  it('gives any string back wherever its object was cut', () => {
    fc.assert(
      fc.property(anyText, anyCuts, fc.boolean(), (text, cuts, escaped) => {
        const json = escaped ? `{"input":${escapeAll(text)}}` : JSON.stringify({ input: text })
        assert.equal(whole(json, cuts), text)
      }),
    )
  })

  it('finds the key between other members of any kind, and with any whitespace', () => {
    const others = fc.dictionary(
      anyText.filter((name) => name !== 'input' && name !== '__proto__'),
      fc.jsonValue(),
    )
    fc.assert(
      fc.property(others, others, anyText, anyCuts, fc.nat(3), (before, after, text, cuts, indent) => {
        const members = [...Object.entries(before), ['input', text], ...Object.entries(after)]
        const lines = members.map(([name, value]) => `${JSON.stringify(name)} : ${JSON.stringify(value, null, indent)}`)
        assert.equal(whole(` {\n${lines.join(' ,\t')} } `, cuts), text)
      }),
    )
  })

  it('never ends a piece within a surrogate pair', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), anyCuts, fc.boolean(), (text, cuts, escaped) => {
        const json = escaped ? `{"input":${escapeAll(text)}}` : JSON.stringify({ input: text })
        for (const piece of read(json, cuts)) assert.ok(piece.isWellFormed())
      }),
    )
  })

  it('streams: what is certain comes out at once', () => {
    const stream = createJsonStringStream('input')
    assert.deepEqual(
      ['{"in', 'put": "a', 'b\\', 'n', '\\u00', 'e9', '"', '}'].map((piece) => stream.push(piece)),
      ['', 'a', 'b', '\n', '', 'é', '', ''],
    )
  })

  it('passes bare text through as it is', () => {
    for (const text of ['print(1)', '*** Begin Patch', '{ foo() }', '{x', '[1]', '{"a" + 1}', '"a" + "b"']) {
      assert.equal(whole(text), text)
      assert.equal(whole(text, [1, 2, 3, 4]), text)
    }
  })

  it('decodes arguments that are one JSON string', () => {
    assert.equal(whole('"a\\nb"', [2, 3]), 'a\nb')
  })

  it('hands on an object without the key as its text, and an empty or cut-off wrapper as nothing', () => {
    assert.equal(whole('{"code":"x"}'), '{"code":"x"}')
    for (const text of ['', '{}', '{ "inp', '{"input"', '{"input": ', '{"input": "']) assert.equal(whole(text), '')
  })

  it('gives what arrived of a string that was cut off', () => {
    assert.equal(whole('{"input": "abc\\u00'), 'abc')
  })

  it('gives a value that is no string as its JSON text', () => {
    assert.equal(whole('{"input": {"a": ["}", 1]} , "b": 2}', [12, 17]), '{"a": ["}", 1]}')
    assert.equal(whole('{"input": null}'), 'null')
  })

  it('reads broken escapes as the text they stand for, and raw control characters as they are', () => {
    assert.equal(whole('{"input": "\\d+\\u12"}', [12, 15]), '\\d+\\u12')
    assert.equal(whole('{"input": "a\nb"}'), 'a\nb')
  })

  it('refuses to keep more than its limit while the key is missing', () => {
    const stream = createJsonStringStream('input', 10)
    assert.throws(() => stream.push('{"other": "0123456789"'), RangeError)
  })
})
