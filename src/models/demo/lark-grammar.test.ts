import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLarkMatcher } from '../../lib/lark-match.ts'
import { fitLark } from './lark-grammar.ts'

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

test('the first text that fits is taken, else a sample that fits', () => {
  assert.equal(fitLark(SUM, ['four', '4 + 4']), '4 + 4')
  for (const grammar of [SUM, PATCH, LEFT]) {
    const sample = fitLark(grammar, ['no such thing!']) ?? ''
    assert.equal(createLarkMatcher(grammar)?.matchSync(sample).outcome, 'valid', sample)
  }
  assert.match(fitLark(PATCH, ['docs/a.md']) ?? '', /Add File: docs\/a\.md/)
})

test('what is not understood is null, and endless grammars end', () => {
  assert.equal(fitLark('no rules at all', ['x']), null)
  assert.equal(fitLark('start: missing', ['x']), null)
  assert.equal(fitLark('start: start', ['x']), null)
  assert.equal(fitLark('start: "a" start', ['x']), null)
})
