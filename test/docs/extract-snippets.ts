/** The fenced blocks of a Markdown page that claim to run, each with what is said to come of it. */

export type Language = 'sh' | 'js' | 'ts' | 'python'

export type Snippet = {
  readonly file: string
  /** 1-based line of the opening fence. */
  readonly line: number
  readonly language: Language
  readonly code: string
  /** Not null: it is not run, and why. */
  readonly notRun: string | null
  readonly expected: Expected | null
}

export type Expected = { readonly language: 'json' | 'text'; readonly content: string; readonly line: number }

type Fence = {
  readonly line: number
  readonly info: readonly string[]
  readonly content: string
  readonly before: string
}

const LANGUAGES: Readonly<Record<string, Language>> = {
  sh: 'sh',
  bash: 'sh',
  shell: 'sh',
  js: 'js',
  javascript: 'js',
  mjs: 'js',
  ts: 'ts',
  typescript: 'ts',
  py: 'python',
  python: 'python',
}

/**
 * A block is run unless its fence says `no-run`; then the line before it must give the reason in an HTML comment,
 * `<!-- no-run: starts the server -->`. A following block tagged `expect` says what the run prints.
 */
export function extractSnippets(file: string, markdown: string): Snippet[] {
  const fences = readFences(file, markdown)
  return fences.flatMap((fence, index) => {
    const [name = '', ...tags] = fence.info
    const language = LANGUAGES[name]
    if (language === undefined) return []
    const { line, content: code } = fence
    const notRun = tags.includes('no-run') ? reasonOf(file, fence) : null
    return [{ file, line, language, code, notRun, expected: expectedAfter(fences[index + 1]) }]
  })
}

function reasonOf(file: string, fence: Fence): string {
  const reason = /<!--\s*no-run:\s*(.+?)\s*-->/.exec(fence.before)?.[1]
  if (reason === undefined) {
    throw new Error(`${file}:${fence.line}: a no-run block needs "<!-- no-run: reason -->" on the line before it`)
  }
  return reason
}

function expectedAfter(fence: Fence | undefined): Expected | null {
  const [language, ...tags] = fence?.info ?? []
  if (fence === undefined || !tags.includes('expect')) return null
  if (language !== 'json' && language !== 'text') return null
  return { language, content: fence.content, line: fence.line }
}

function readFences(file: string, markdown: string): Fence[] {
  const lines = markdown.split('\n')
  const fences: Fence[] = []
  for (let at = 0; at < lines.length; at += 1) {
    const [, indent = '', marks = '', info = ''] = /^( *)(```+)(.*)$/.exec(lines[at] ?? '') ?? []
    if (marks === '') continue
    const end = lines.findIndex((line, index) => index > at && line.trim() === marks)
    if (end === -1) throw new Error(`${file}:${at + 1}: a code block that never ends`)
    const content = lines.slice(at + 1, end).map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line))
    const before = lines.slice(0, at).findLast((line) => line.trim() !== '') ?? ''
    fences.push({ line: at + 1, info: info.trim().split(/\s+/), content: content.join('\n'), before })
    at = end
  }
  return fences
}
