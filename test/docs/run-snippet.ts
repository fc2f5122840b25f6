/** Runs one snippet as a reader would: pasted into a shell, or saved to a file beside the installed packages. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from '../hygiene/source-files.ts'
import { startProcess } from '../suites/start-process.ts'
import type { Snippet } from './extract-snippets.ts'
import { whyUnlike } from './match-output.ts'

const RUN_MS = 30_000

export type SnippetContext = {
  /** Where `curl`, and Python's `bin` folder, are found. */
  readonly env: Readonly<Record<string, string>>
  /** A Python that has the `openai` package; null: Python snippets are skipped. */
  readonly python: string | null
  /** False, or why this machine runs no code: then what needs a sandbox is skipped. */
  readonly noSandbox: string | false
}

export type SnippetResult =
  | { readonly type: 'passed' }
  | { readonly type: 'failed'; readonly why: string }
  | { readonly type: 'skipped'; readonly why: string }

export async function runSnippet(snippet: Snippet, context: SnippetContext): Promise<SnippetResult> {
  if (snippet.notRun !== null) return { type: 'skipped', why: snippet.notRun }
  if (snippet.needsSandbox && context.noSandbox !== false) return { type: 'skipped', why: context.noSandbox }
  if (snippet.language === 'python' && context.python === null) {
    return { type: 'skipped', why: 'no Python with the openai package was given (ANTIPHON_DOCS_PYTHON)' }
  }
  const folder = mkdtempSync(join(tmpdir(), 'antiphon-docs-'))
  try {
    const [command, args] = commandOf(snippet, context, folder)
    const started = startProcess(command, args, { cwd: folder, env: context.env })
    const timer = setTimeout(() => void started.stop(), RUN_MS)
    const code = await started.exited
    clearTimeout(timer)
    return judge(snippet, code, started.output())
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function commandOf(snippet: Snippet, context: SnippetContext, folder: string): [string, string[]] {
  if (snippet.language === 'sh') return ['bash', ['-euo', 'pipefail', '-c', snippet.code]]
  if (snippet.language === 'python') return [context.python ?? '', ['-c', snippet.code]]
  const file = join(folder, snippet.language === 'ts' ? 'snippet.ts' : 'snippet.mjs')
  writeFileSync(file, snippet.code)
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  mkdirSync(join(folder, 'files'), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  return [process.execPath, ['--disable-warning=ExperimentalWarning', file]]
}

function judge(snippet: Snippet, code: number, output: string): SnippetResult {
  if (code !== 0) return { type: 'failed', why: `it ended with ${code}:\n${output}` }
  const why = snippet.expected === null ? null : whyUnlike(output, snippet.expected)
  return why === null ? { type: 'passed' } : { type: 'failed', why: `${why}\n${output}` }
}
