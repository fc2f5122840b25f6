/** The laws of the tree: who imports whom, and what no file may do. A failure prints the illegal arrow or the line. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countCasts, findCodeFaults, MAX_FILE_LINES, NOTABLE_FILE_LINES } from './hygiene/code-rules.ts'
import { findCycles } from './hygiene/import-cycles.ts'
import { findIllegalImports } from './hygiene/import-rules.ts'
import { importsOf } from './hygiene/imports.ts'
import { parseSources } from './hygiene/parse-sources.ts'
import { countLines, isTestFile, listFiles, ROOT, readSource } from './hygiene/source-files.ts'
import { findBadNames, findLongFiles, findUnusedByProduct, findWorkplaceWords } from './hygiene/tree-rules.ts'

const MAX_CASTS_PER_1000_LINES = 2

const sources = parseSources(ROOT, ['src', 'test', 'bench', 'scripts'])
const imports = sources.flatMap(importsOf)
const allPaths = listFiles(ROOT)
const codeFiles = allPaths.filter((path) => /\.(ts|js|mjs)$/.test(path)).map(readFile)
const TEXT_FILE = /(\.(ts|js|mjs|json|jsonl|md|yaml|yml|toml|sh|py|sql|txt)|\/run|LICENSE|rc|config)$/

function readFile(path: string) {
  return { path, text: readSource(ROOT, path) }
}

const assertNone = (faults: readonly string[], law: string) =>
  assert.equal(faults.length, 0, `${law}\n${faults.join('\n')}`)

test('every import keeps to the table of layers', () => {
  assert.ok(imports.length > 0, 'no imports were found: the scanner is blind')
  assertNone(findIllegalImports(imports), 'Illegal imports:')
})

test('no file imports itself over any path, types included', () => {
  assertNone(findCycles(imports), 'Import cycles:')
})

test('no file breaks a rule of the house', () => {
  assertNone(sources.flatMap(findCodeFaults), 'Code rules:')
})

test('what only tests need is not among the product code', () => {
  assertNone(
    findUnusedByProduct(
      sources.map(({ path }) => path),
      imports,
    ),
    'Test code in src:',
  )
})

test('casts are rare', (t) => {
  const counted = sources.filter((file) => file.path.startsWith('src/') && !isTestFile(file.path))
  const lines = counted.reduce((sum, file) => sum + countLines(file.text), 0)
  const perFile = counted.map((file) => ({ path: file.path, casts: countCasts(file) })).filter((it) => it.casts > 0)
  const casts = perFile.reduce((sum, it) => sum + it.casts, 0)
  const allowed = Math.floor((lines / 1000) * MAX_CASTS_PER_1000_LINES)
  t.diagnostic(`${casts} casts in ${lines} lines of src, ${allowed} allowed`)
  assert.ok(casts <= allowed, `Casts in src:\n${perFile.map((it) => `${it.path}: ${it.casts}`).join('\n')}`)
})

test('file names are kebab-case', () => {
  assertNone(findBadNames(allPaths), 'File names:')
})

test('no file is too long', (t) => {
  for (const long of findLongFiles(codeFiles, NOTABLE_FILE_LINES)) t.diagnostic(`long file: ${long}`)
  assertNone(findLongFiles(codeFiles, MAX_FILE_LINES), `Files over ${MAX_FILE_LINES} lines:`)
})

test('the tree speaks of the project alone', () => {
  const files = allPaths.filter((path) => TEXT_FILE.test(path)).map(readFile)
  assertNone(findWorkplaceWords(files), 'Words of a workplace:')
})
