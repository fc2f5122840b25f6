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
  /** It runs code in bubblewrap. */
  readonly needsSandbox: boolean
  readonly expected: Expected | null
}

export type Expected = { readonly language: 'json' | 'text'; readonly content: string; readonly line: number }

type Fence = {
  readonly line: number
  readonly info: readonly string[]
  readonly content: string
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
 * A block is run unless its fence says `no-run: reason`, as in `sh no-run: starts a server`, or `needs-sandbox` and the
 * machine has none. A following block tagged `expect` says what the run prints.
 */
export function extractSnippets(file: string, markdown: string): Snippet[] {
  const fences = readFences(file, markdown)
  return fences.flatMap((fence, index) => {
    const name = fence.info[0] ?? ''
    const language = LANGUAGES[name]
    if (language === undefined) return []
    const { line, content: code } = fence
    const notRun = reasonNotRun(file, fence)
    const needsSandbox = fence.info.includes('needs-sandbox')
    return [{ file, line, language, code, notRun, needsSandbox, expected: expectedAfter(fences[index + 1]) }]
  })
}

function reasonNotRun(file: string, fence: Fence): string | null {
  const [, tag, reason = ''] = /(no-run)(?:: *(.*))?$/.exec(fence.info.join(' ')) ?? []
  if (tag === undefined) return null
  if (reason === '') throw new Error(`${file}:${fence.line}: say why it is not run, as in "sh no-run: starts a server"`)
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
    fences.push({ line: at + 1, info: info.trim().split(/\s+/), content: content.join('\n') })
    at = end
  }
  return fences
}
