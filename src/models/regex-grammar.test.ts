import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toPortableRegex } from './regex-grammar.ts'

function matches(definition: string, text: string): boolean {
  const portable = toPortableRegex(definition)
  assert.ok(portable, definition)
  return new RegExp(portable.source, portable.flags).test(text)
}

describe('regex grammar', () => {
  it('must match the whole input, also with alternatives', () => {
    assert.ok(matches('a|bc', 'bc'))
    assert.ok(!matches('a|bc', 'abc'))
    assert.ok(!matches('a', 'a\n'))
  })

  it('knows letters and digits of all scripts, as Rust does', () => {
    assert.ok(matches('\\w+ \\d{2}', 'été ٣٤'))
    assert.ok(matches('[\\w-]+', 'é-x'))
    assert.ok(matches('[^\\d\\s]+', 'ab'))
    assert.ok(!matches('\\W+', 'é'))
    assert.ok(matches('\\S\\s\\D', 'a\u00a0b'))
  })

  it('lets a dot stand for everything but a newline', () => {
    assert.ok(matches('a.b', 'a\u2028b'))
    assert.ok(!matches('a.b', 'a\nb'))
    assert.ok(matches('[.]', '.'))
    assert.ok(!matches('[.]', 'x'))
  })

  it('reads escapes that JavaScript would refuse', () => {
    assert.ok(matches('\\-\\#\\"\\ \\@', '-#" @'))
    assert.ok(matches('[a\\-z\\]]+', '-]'))
  })

  it('gives up on what means something else in JavaScript, or does not exist there', () => {
    for (const definition of [
      '(?i)a',
      '(?i:a)',
      '(?P<x>a)',
      '\\Aa\\z',
      '[[:alpha:]]',
      '[a-z&&[^x]]',
      '\\bx',
      '(?x) a',
      '(',
      '[\\W]',
    ]) {
      assert.equal(toPortableRegex(definition), null, definition)
    }
  })
})
