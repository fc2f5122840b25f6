import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createLarkMatcher } from './lark-match.ts'
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

hunk: add_hunk | delete_hunk | update_hunk
add_hunk: "*** Add File: " filename LF add_line+
delete_hunk: "*** Delete File: " filename LF
update_hunk: "*** Update File: " filename LF change_move? change?

filename: /(.+)/
add_line: "+" /(.*)/ LF -> line

change_move: "*** Move to: " filename LF
change: (change_context | change_line)+ eof_line?
change_context: ("@@" | "@@ " /(.+)/) LF
change_line: ("+" | "-" | " ") /(.*)/ LF
eof_line: "*** End of File" LF

%import common.LF
`
const LEFT = `
start: list
list: list "," item | item
item: /[a-z]+/
%ignore " "
`
const MANY = `
start: pair~2..3 [tail]
pair: KEY "=" value ";"
KEY.2: ("a".."f")+
value: NUMBER | ESCAPED_STRING | "true"i // a comment
tail: "end"
%import common (NUMBER, ESCAPED_STRING)
%import common.WS -> SPACE
%ignore SPACE
`
const at = (grammar: string, text: string) => {
  const matcher = createLarkMatcher(grammar)
  assert.ok(matcher, grammar)
  return matcher.matchSync(text)
}

test('a text is told from one that does not fit', () => {
  for (const [grammar, text, fits] of [
    [SUM, '4 + 4', true],
    [SUM, '4 + 4 + 12', true],
    [SUM, '4+4', false],
    [SUM, '', false],
    [PATCH, '*** Begin Patch\n*** Add File: a.txt\n+one\n+two\n*** End Patch', true],
    [PATCH, '*** Begin Patch\n*** Update File: é.ts\n*** Move to: b\n@@ f()\n-a\n+b\n c\n*** End Patch\n', true],
    [PATCH, '*** Begin Patch\n*** End Patch', false],
    [PATCH, '*** Begin Patch\n*** Add File: a\nno plus\n*** End Patch', false],
    [LEFT, 'a, b ,c', true],
    [LEFT, ' a', true],
    [LEFT, 'a b', false],
    [LEFT, 'a,,b', false],
    [MANY, 'a=1;b=2;', true],
    [MANY, 'abc = -1 ; b=2;', false],
    [MANY, 'abc = 1.5e3 ;\n b="x\\"y" ; f=TRUE; end', true],
    [MANY, 'a=1;', false],
    [MANY, 'a=1;b=2;c=3;d=4;', false],
    [MANY, 'g=1;b=2;', false],
    ['start: "a" start "b" |', 'aaabbb', true],
    ['start: "a" start "b" |', 'aaabb', false],
    ['start: A\nA: "x" "y"\n%ignore " "', 'x y', false],
    ['start: /\\w+/', 'größe', true],
    ['start: /./', '\n', false],
    ['start: "😀"+', '😀😀', true],
  ] as const) {
    assert.equal(at(grammar, text).outcome, fits ? 'valid' : 'invalid', `${grammar} ${JSON.stringify(text)}`)
  }
})

test('where a text stops to fit is said', () => {
  assert.deepEqual(at(SUM, '4 + x'), { outcome: 'invalid', at: 4 })
  assert.deepEqual(at('start: "😀" "b"', '😀a'), { outcome: 'invalid', at: 2 })
})

test('notation that is not covered is not guessed at', () => {
  for (const grammar of [
    'no rules at all',
    'start: missing',
    'start: INT',
    'other: "a"',
    'start: "a" @ "b"',
    'start: /a/i',
    'start: /^a$/',
    'start: /(?=a)a/',
    'start: sep{"a", ","}\nsep{x, y}: x (y x)*',
    '%declare X\nstart: X',
    '%import other.X\nstart: X',
    'start: ("a"',
    'start: "a"\nstart: "b"',
    'start: "a" "b',
  ]) {
    assert.equal(createLarkMatcher(grammar), null, grammar)
  }
})

test('grammars that lead nowhere or in circles are decided', () => {
  assert.equal(at('start: start', 'x').outcome, 'invalid')
  assert.equal(at('start: "a" start', 'aaa').outcome, 'invalid')
  assert.equal(at('start: start start | "a" |', 'aaaa').outcome, 'valid')
  assert.equal(at('start: a*\na: b*\nb: "x"?', 'xx').outcome, 'valid')
})

test('a long text is decided, a costly one is given up, and others have their turn meanwhile', async () => {
  const line = `+${'some text of a line '.repeat(4)}\n`
  const patch = `*** Begin Patch\n*** Add File: a.txt\n${line.repeat(1500)}*** End Patch`
  const matcher = createLarkMatcher(PATCH)
  let turns = 0
  const count = setInterval(() => (turns += 1), 0)
  assert.deepEqual(await matcher?.match(patch), { outcome: 'valid' })
  clearInterval(count)
  assert.ok(turns > 0)
  assert.equal(at('start: start start start | "a" |', 'a'.repeat(3000)).outcome, 'undecided')
})

test('a grammar that would take long to read is read in good time, or not at all', () => {
  const rules = Array.from({ length: 3000 }, (_, index) => `r${index}: r${index + 1}?`)
  const chain = `start: r0\n${rules.join('\n')}\nr3000: "x"?`
  assert.equal(createLarkMatcher(chain), null, 'too deep')
  const names = rules.map((_, index) => `r${index}`)
  const flat = `start: ${names.join(' ')}\n${names.map((name) => `${name}: "x"?`).join('\n')}`
  assert.equal(createLarkMatcher(flat)?.matchSync('x').outcome, 'valid')
  assert.equal(createLarkMatcher(`start: "a"${'\n'.repeat(90_000)}| "b"`)?.matchSync('b').outcome, 'valid')
  assert.equal(createLarkMatcher('start: "a"~1..100000'), null)
})

test('it agrees with the platform on what both can say', () => {
  const atom = fc.constantFrom('a', 'b', 'ab')
  const expression: fc.Arbitrary<{ lark: string; regex: string }> = fc.letrec<{
    node: { lark: string; regex: string }
  }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small' },
      atom.map((text) => ({ lark: `"${text}"`, regex: text })),
      fc
        .tuple(tie('node'), tie('node'))
        .map(([a, b]) => ({ lark: `${a.lark} ${b.lark}`, regex: `${a.regex}${b.regex}` })),
      fc
        .tuple(tie('node'), tie('node'))
        .map(([a, b]) => ({ lark: `(${a.lark} | ${b.lark})`, regex: `(?:${a.regex}|${b.regex})` })),
      fc
        .tuple(tie('node'), fc.constantFrom('*', '+', '?'))
        .map(([a, sign]) => ({ lark: `(${a.lark})${sign}`, regex: `(?:${a.regex})${sign}` })),
    ),
  })).node
  fc.assert(
    fc.property(expression, fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 }), ({ lark, regex }, text) => {
      const expected = new RegExp(`^(?:${regex})$`).test(text) ? 'valid' : 'invalid'
      assert.equal(at(`start: ${lark}`, text).outcome, expected, lark)
    }),
  )
})

test('the tree of a grammar says what was written', () => {
  assert.deepEqual(parseLark('start: "a" | B\nB: "b"~2')?.rules.get('start'), {
    type: 'choice',
    nodes: [
      { type: 'literal', text: 'a' },
      { type: 'rule', name: 'B' },
    ],
  })
})
