import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cpuMs } from '../../test/support/cpu-time.ts'
import { JsonError, type JsonErrorKind, parseJson } from './json-limits.ts'

const LIMITS = { maxDepth: 64, maxNodes: 100_000 }
const read = (text: string, limits = LIMITS) => parseJson(Buffer.from(text), limits)
const refused = (text: string, kind: JsonErrorKind, path: string | null = null, limits = LIMITS) =>
  assert.throws(
    () => read(text, limits),
    (error) => error instanceof JsonError && error.kind === kind && error.path === path,
    text.slice(0, 80),
  )

test('ordinary documents come out as JSON.parse reads them', () => {
  const documents = [
    '{}',
    '[]',
    '1',
    '"x"',
    'null',
    '{"a":[1,{"b":"\\\\\\"]}"}]}',
    ' {"a" : "[[[{{{" } ',
    '"\\u0041\\n"',
  ]
  for (const text of documents) assert.deepEqual(read(text), JSON.parse(text), text)
})

test('a byte order mark is skipped', () => {
  assert.deepEqual(read('\uFEFF{"a":1}'), { a: 1 })
})

test('depth 64 passes and depth 65 does not', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
  assert.ok(read(nested(64)))
  refused(nested(65), 'depth')
  refused(`${'{"a":'.repeat(65)}1${'}'.repeat(65)}`, 'depth')
})

test('brackets and commas inside strings do not count', () => {
  const text = JSON.stringify({ a: '[{,'.repeat(1000), b: '"[[\\"{{\\\\', c: '\\' })
  assert.deepEqual(read(text, { maxDepth: 1, maxNodes: 5 }), JSON.parse(text))
})

test('the node limit counts members, elements and containers', () => {
  const limits = { maxDepth: 64, maxNodes: 10 }
  assert.ok(read('[1,2,3,4,5,6,7,8,9]', limits))
  refused('[1,2,3,4,5,6,7,8,9,10]', 'nodes', null, limits)
  refused('{"a":{"b":[1,2,3]},"c":[1,2,3,4]}', 'nodes', null, limits)
})

test('bombs a million wide or deep are refused at once', () => {
  const started = cpuMs()
  refused('['.repeat(1_000_000), 'depth')
  refused(`[${'1,'.repeat(1_000_000)}1]`, 'nodes')
  refused(`{"a":"${'\\'.repeat(1_000_001)}`, 'syntax')
  assert.ok(cpuMs() - started < 3_000)
})

test('malformed text is a syntax error whose message quotes nothing of it', () => {
  for (const text of ['', '{', '{"a":}', '{"secret":tru}', '[1,]', '"open', "{'a':1}", '1 2']) {
    assert.throws(
      () => read(text),
      (error) => error instanceof JsonError && error.kind === 'syntax' && !/secret|tru/.test(error.message),
      text,
    )
  }
})

test('bytes that are not UTF-8 are refused', () => {
  const bytes = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')])
  assert.throws(() => parseJson(bytes, LIMITS), { kind: 'encoding' })
})

test('NUL and lone surrogates are refused with the path of the text', () => {
  refused('{"input":"a\\u0000b"}', 'unstorable-text', 'input')
  refused('{"input":[{"content":"\\ud800"}]}', 'unstorable-text', 'input[0].content')
  refused('{"a":"\\uDC00"}', 'unstorable-text', 'a')
  refused('{"a":"\\ude00\\ud83d"}', 'unstorable-text', 'a')
  refused('{"a":"\\\\\\\\ud83d\\ude00"}', 'unstorable-text', 'a')
  refused('{"a":{"k\\u0000":1}}', 'unstorable-text', 'a')
  refused('"\\u0000"', 'unstorable-text')
})

test('escapes that only look harmful pass', () => {
  for (const text of [
    '"\\\\u0000"',
    '"\\ud83d\\ude00 \\uD83D\\uDE00"',
    '"\\\\ud800"',
    '"__proto__ is a word"',
    '"\\u005f"',
  ]) {
    assert.equal(read(text), JSON.parse(text), text)
  }
})

test('a key named __proto__ is refused however it is written, and pollutes nothing', () => {
  refused('{"__proto__":{"admin":true}}', 'proto-key')
  refused('{"a":[{"__proto__":1}]}', 'proto-key', 'a[0]')
  refused('{"\\u005f_proto__":1}', 'proto-key')
  refused('{"__pro\\u0074o\\u005f\\u005F":1}', 'proto-key')
  assert.equal(Reflect.get({}, 'admin'), undefined)
})

test('a key named constructor is data', () => {
  const text = '{"constructor":{"prototype":{"x":1}}}'
  assert.deepEqual(read(text), JSON.parse(text))
  assert.equal(Reflect.get({}, 'x'), undefined)
})
