/** Rules about files as such: their names, their lengths, and words that belong to a workplace, not to a project. */
import type { Import } from './imports.ts'
import { countLines, isTestFile } from './source-files.ts'

const KEBAB_CASE = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*\.(ts|js|mjs)$/

/** Joined here so that this file does not hold them. */
const WORKPLACE_WORDS: readonly string[] = [
  ['/wo', 'rk/'].join(''),
  ['registry.', 'npmjs'].join(''),
  ['.lib', 'rary/'].join(''),
  ['AT', 'LAS'].join(''),
  ['/ro', 'ot/'].join(''),
]

export type TextFile = { readonly path: string; readonly text: string }

export function findBadNames(paths: readonly string[]): string[] {
  return paths
    .filter((path) => /\.(ts|js|mjs)$/.test(path))
    .filter((path) => !KEBAB_CASE.test(path.slice(path.lastIndexOf('/') + 1)))
    .map((path) => `${path}: file names are kebab-case`)
}

export function findLongFiles(files: readonly TextFile[], limit: number): string[] {
  return files
    .map(({ path, text }) => ({ path, lines: countLines(text) }))
    .filter(({ lines }) => lines > limit)
    .map(({ path, lines }) => `${path}: ${lines} lines`)
}

export function findWorkplaceWords(files: readonly TextFile[]): string[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => {
      const word = WORKPLACE_WORDS.find((it) => line.includes(it))
      return word === undefined ? [] : [`${path}:${index + 1}: holds "${word}"`]
    }),
  )
}

/** Where the program begins, and what stands in `src` although the program has no use for it. */
const ENTRIES: ReadonlySet<string> = new Set([
  'src/main.ts',
  // The fold of events as the contract has it: what tests hold the running server against.
  'src/protocol/apply-event.ts',
  // Write documentation from what they stand beside.
  'src/config/configuration-doc.ts',
  'src/app/capabilities-doc.ts',
  // A thread: it is started by the name of its file.
  'src/tools/web-search/page-worker.ts',
  // A process: the same.
  'src/documents/document-process.ts',
])

/**
 * Files of `src` that no product code imports. What only tests need lies in `test/`, or has `.test` or `.contract` in its
 * name: it would be published otherwise.
 */
export function findUnusedByProduct(paths: readonly string[], imports: readonly Import[]): string[] {
  const used = new Set(imports.filter(({ from }) => !isTestFile(from)).map(({ target }) => target))
  return paths
    .filter((path) => path.startsWith('src/') && !isTestFile(path) && !ENTRIES.has(path) && !used.has(path))
    .map((path) => `${path}: no product code imports it`)
}
