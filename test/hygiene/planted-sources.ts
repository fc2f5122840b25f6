/** Small source trees on disk, for tests that show a rule catching what it must catch. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type ParsedFile, parseSources } from './parse-sources.ts'

/** Parses `files` (path -> text) as if they were a checkout. */
export function parsePlanted(files: Readonly<Record<string, string>>): ParsedFile[] {
  const root = mkdtempSync(join(tmpdir(), 'antiphon-planted-'))
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(root, dirname(path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    return parseSources(root, ['src', 'test'])
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/** A function body of exactly `lines` lines, for the limits on length. */
export const longFunction = (name: string, lines: number): string =>
  `export function ${name}() {\n${'  void 0\n'.repeat(lines - 2)}}\n`
