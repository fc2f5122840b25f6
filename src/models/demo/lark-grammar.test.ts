import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fitLark, matchesLark } from './lark-grammar.ts'
import { parseLark } from './lark-syntax.ts'

const SUM = `
start: expr
expr: term (SP ADD SP term)* -> add
    | term
?term: INT
SP: " "
ADD: "+"
%import common.INT
`
const PATCH = `
start: begin_patch hunk+ end_patch
begin_patch: "*** Begin Patch" LF
end_patch: "*** End Patch" LF?
hunk: add_hunk | delete_hunk
add_hunk: "*** Add File: " filename LF add_line+
delete_hunk: "*** Delete File: " filename LF
filename: /(.+)/
add_line: "+" /(.*)/ LF -> line
%import common.LF
`
const LEFT = `
start: list
list: list "," item | item
item: /[a-z]+/
%ignore " "
`

test('a text is told from one that does not fit', () => {
  for (const [grammar, text, fits] of [
    [SUM, '4 + 4', true],
    [SUM, '4 + 4 + 12', true],
    [SUM, '4+4', false],
    [SUM, '', false],
    [PATCH, '*** Begin Patch\n*** Add File: a.txt\n+one\n+two\n*** End Patch', true],
    [PATCH, '*** Begin Patch\n*** End Patch', false],
    [LEFT, 'a, b ,c', true],
    [LEFT, 'a,,b', false],
    ['start: "a"~2 [B]\nB: "b"', 'aab', true],
    ['start: "a"~2 [B]\nB: "b"', 'ab', false],
  ] as const) {
    const parsed = parseLark(grammar)
    assert.ok(parsed)
    assert.equal(matchesLark(parsed, text), fits, text)
  }
})

test('the first text that fits is taken, else a sample that fits', () => {
  assert.equal(fitLark(SUM, ['four', '4 + 4']), '4 + 4')
  for (const grammar of [SUM, PATCH, LEFT]) {
    const sample = fitLark(grammar, ['no such thing!']) ?? ''
    const parsed = parseLark(grammar)
    assert.ok(parsed && matchesLark(parsed, sample), sample)
  }
  assert.match(fitLark(PATCH, ['docs/a.md']) ?? '', /Add File: docs\/a\.md/)
})

test('what is not understood is null, and endless grammars end', () => {
  assert.equal(fitLark('no rules at all', ['x']), null)
  assert.equal(fitLark('start: missing', ['x']), null)
  assert.equal(fitLark('start: start', ['x']), null)
  assert.equal(fitLark('start: "a" start', ['x']), null)
})
