/** The manifest of requirements against the names of all tests. Its failures print what is missing, row by row. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { isTestFile, listFiles, ROOT, readSource } from './hygiene/source-files.ts'
import { REQUIREMENTS } from './requirements.ts'

/** The end of a test's name, right before the closing quote: `(req 19, 93)'`. */
const TAG = /\(req (\d+(?:, \d+)*)\)['"`]/g
const OWN_FILES: ReadonlySet<string> = new Set(['test/requirements.ts', 'test/requirements.test.ts'])

/** Which files name which row. */
function collectTags(files: readonly { readonly path: string; readonly text: string }[]): Map<number, string[]> {
  const named = new Map<number, string[]>()
  for (const { path, text } of files) {
    for (const [, ids = ''] of text.matchAll(TAG)) {
      for (const id of ids.split(', ').map(Number)) named.set(id, [...(named.get(id) ?? []), path])
    }
  }
  return named
}

const sources = listFiles(ROOT)
  .filter((path) => path.endsWith('.ts') && isTestFile(path) && !OWN_FILES.has(path))
  .map((path) => ({ path, text: readSource(ROOT, path) }))
const tags = collectTags(sources)

test('the manifest has rows 1 to 200, each with a text, and a reason where it is not covered', () => {
  assert.deepEqual(
    REQUIREMENTS.map(({ id }) => id),
    Array.from({ length: 200 }, (_, index) => index + 1),
  )
  for (const row of REQUIREMENTS) {
    assert.ok(row.text.endsWith('.'), `row ${row.id} is a sentence`)
    if (!row.covered) assert.match(row.reason, /^later: ./, `row ${row.id} says why it is not covered`)
  }
})

test('every covered row is proved by a test that names it', () => {
  const missing = REQUIREMENTS.filter(({ id, covered }) => covered && !tags.has(id))
  const lines = missing.map(({ id, text }) => `  req ${id}: ${text}`)
  assert.equal(lines.length, 0, `${lines.length} covered rows without a test:\n${lines.join('\n')}`)
})

test('no test names a row that is unknown or not covered', () => {
  const covered = new Set(REQUIREMENTS.filter((row) => row.covered).map(({ id }) => id))
  const wrong = [...tags].filter(([id]) => !covered.has(id))
  const lines = wrong.map(([id, paths]) => `  req ${id}, named in ${[...new Set(paths)].join(', ')}`)
  assert.equal(lines.length, 0, `tests name rows that the manifest does not cover:\n${lines.join('\n')}`)
})

test('tags are read from the end of a name, one row or several', () => {
  const text = 'test(\'a (req 1)\', f)\nlaw(`b (req 2, 30)`, f)\nit("c (req 4)", f)\n// prose about (req 5) is no tag'
  assert.deepEqual(
    [...collectTags([{ path: 'x.test.ts', text }])],
    [
      [1, ['x.test.ts']],
      [2, ['x.test.ts']],
      [30, ['x.test.ts']],
      [4, ['x.test.ts']],
    ],
  )
})
