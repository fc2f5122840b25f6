import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Annotation } from '../protocol/content.ts'
import { createCitations } from './cite-sources.ts'

const WIKI = 'https://en.wikipedia.org/wiki/Ada_(language)'

function citations() {
  const made = createCitations()
  made.cite({ type: 'url', url: 'https://www.example.com/a?x=1', title: 'A page' })
  made.cite({ type: 'url', url: WIKI, title: 'Ada' })
  made.cite({ type: 'file', fileId: 'file_1', filename: 'notes.md' })
  return made
}

/** `[start, end, what it names]`. */
const placed = (annotations: readonly Annotation[]) =>
  annotations.map((it) =>
    it.type === 'url_citation'
      ? [it.start_index, it.end_index, it.url]
      : [it.type === 'file_citation' ? it.index : -1, null, 'file_id' in it ? it.file_id : ''],
  )

function cited(pieces: readonly string[]) {
  const citer = citations().openText()
  assert.ok(citer)
  const parts = [...pieces.map((piece) => citer.push(piece)), citer.end()]
  const text = parts.map((part) => part.text).join('')
  return { text, annotations: parts.flatMap((part) => part.annotations), parts }
}

const LINK_A = '([example.com](https://www.example.com/a?x=1))'
const LINK_WIKI = '([en.wikipedia.org](https://en.wikipedia.org/wiki/Ada_%28language%29))'

const CASES: readonly [string, string, string, unknown[]][] = [
  [
    'a mark becomes a link',
    'It is so【1】.',
    `It is so ${LINK_A}.`,
    [[9, 9 + LINK_A.length, 'https://www.example.com/a?x=1']],
  ],
  [
    'behind a space no other is added',
    'So 【1】',
    `So ${LINK_A}`,
    [[3, 3 + LINK_A.length, 'https://www.example.com/a?x=1']],
  ],
  [
    'two marks are two links',
    '【1】【2】',
    `${LINK_A} ${LINK_WIKI}`,
    [
      [0, LINK_A.length, 'https://www.example.com/a?x=1'],
      [LINK_A.length + 1, LINK_A.length + 1 + LINK_WIKI.length, WIKI],
    ],
  ],
  [
    'one mark of two sources too',
    'x 【1, 2】',
    `x ${LINK_A} ${LINK_WIKI}`,
    [
      [2, 2 + LINK_A.length, 'https://www.example.com/a?x=1'],
      [3 + LINK_A.length, 3 + LINK_A.length + LINK_WIKI.length, WIKI],
    ],
  ],
  ['a mark with lines', '【1†L3-L9】', LINK_A, [[0, LINK_A.length, 'https://www.example.com/a?x=1']]],
  ['a mark with spaces', '【 1 】', LINK_A, [[0, LINK_A.length, 'https://www.example.com/a?x=1']]],
  ['a file is named and not shown', 'Notes say so【3】.', 'Notes say so.', [[12, null, 'file_1']]],
  ['an unknown number stays text', 'a【9】b', 'a【9】b', []],
  ['one unknown number among known ones leaves all of it', '【1, 9】', '【1, 9】', []],
  ['a number of nothing stays text', '【0】', '【0】', []],
  ['other text in such brackets stays', '【注意】読んで', '【注意】読んで', []],
  ['a bracket in a bracket', '【1【1】', `【1 ${LINK_A}`, [[3, 3 + LINK_A.length, 'https://www.example.com/a?x=1']]],
  ['an open bracket at the end stays', 'x【1', 'x【1', []],
  ['what grows too long is no mark', `【1${'2'.repeat(90)}】`, `【1${'2'.repeat(90)}】`, []],
  ['plain numbers in brackets are text', 'a[1] = b[2]', 'a[1] = b[2]', []],
  [
    'a link of its own to a page that was found',
    'See [A page](https://www.example.com/a?x=1) now.',
    'See [A page](https://www.example.com/a?x=1) now.',
    [[4, 43, 'https://www.example.com/a?x=1']],
  ],
  ['a link whose address holds parentheses', `[Ada](${WIKI})`, `[Ada](${WIKI})`, [[0, 7 + WIKI.length, WIKI]]],
  ['a link with a title', `[Ada](<${WIKI}> "The page")`, `[Ada](<${WIKI}> "The page")`, [[0, 20 + WIKI.length, WIKI]]],
  ['a link elsewhere is nothing', '[x](https://other.example/)', '[x](https://other.example/)', []],
  [
    'a fragment is the same page',
    '[x](https://www.example.com/a?x=1#p)',
    '[x](https://www.example.com/a?x=1#p)',
    [[0, 36, 'https://www.example.com/a?x=1']],
  ],
  [
    'indexes count characters, not code units',
    '😀😀【1】',
    `😀😀 ${LINK_A}`,
    [[3, 3 + LINK_A.length, 'https://www.example.com/a?x=1']],
  ],
]

for (const [name, said, shown, annotations] of CASES) {
  test(`citing: ${name}`, () => {
    const whole = cited([said])
    assert.equal(whole.text, shown)
    assert.deepEqual(placed(whole.annotations), annotations)
  })
}

test('every annotation covers its link, in characters of the text that was shown before it', () => {
  for (const [, said] of CASES) {
    let shown = ''
    for (const { text, annotations } of cited([...said]).parts) {
      shown += text
      for (const it of annotations) {
        if (it.type !== 'url_citation') continue
        const covered = [...shown].slice(it.start_index, it.end_index).join('')
        assert.match(covered, /^\(\[.+\]\(.+\)\)$|^\[.+\]\(.+\)$/)
      }
    }
  }
})

test('what comes out does not depend on how the text was cut, and half a mark is never shown', () => {
  const fragment = fc.oneof(
    fc.constantFrom('【1】', '【2†x】', '【1, 3】', '【9】', '【', '】', '[', '](', ')', '\n', ' ', '😀', '【12', WIKI),
    fc.string({ maxLength: 6 }),
  )
  fc.assert(
    fc.property(fc.array(fragment, { maxLength: 12 }), fc.array(fc.nat(200), { maxLength: 8 }), (fragments, cuts) => {
      const characters = [...fragments.join('').toWellFormed()]
      const places = [0, ...cuts.map((cut) => cut % (characters.length + 1)).sort((a, b) => a - b), characters.length]
      const pieces = places.slice(1).map((end, at) => characters.slice(places[at], end).join(''))
      const whole = cited([characters.join('')])
      const cut = cited(pieces)
      assert.equal(cut.text, whole.text)
      assert.deepEqual(cut.annotations, whole.annotations)
      let shown = ''
      for (const { text } of cut.parts) {
        shown += text
        assert.ok(whole.text.startsWith(shown))
      }
    }),
    { numRuns: 2000 },
  )
})

test('a source has one mark, however often it is told', () => {
  const made = createCitations()
  const page = { type: 'url', url: 'https://a.example/x', title: 'A' } as const
  assert.equal(made.cite(page), '【1】')
  assert.equal(made.cite({ ...page, url: 'https://a.example/y' }), '【2】')
  assert.equal(made.cite({ ...page, title: 'again' }), '【1】')
})

test('where nothing was found, text is not looked at', () => {
  assert.equal(createCitations().openText(), null)
})

test('a long text of brackets is read in time that grows with its length', () => {
  const citer = citations().openText()
  const said = `${'[a]('.repeat(20_000)}${')'.repeat(20_000)}${'【1'.repeat(20_000)}`
  assert.equal(`${citer?.push(said).text}${citer?.end().text}`, said)
})
