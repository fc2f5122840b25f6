/** Small honest programs when asked for one: they call the tools that the words ask for, and say what those gave. */
import type { ToolDeclaration } from '../model.ts'
import { propertiesOf } from './schema-properties.ts'
import { shorten } from './words.ts'

const FENCED = /```(?:javascript|js)\s*\n([\s\S]*?)```/i
const QUOTED = /\b(?:run|execute)\b(?:\s+(?:this|the following))?\s+program\s*:\s*([\s\S]+)$/i
const ASKING = /\b(?:write|use|using|run|make|with|in|by)\b[^.?!\n]{0,30}\bprograms?\b|\bprogrammatically\b/i

/** A tool of that name which takes code; others that are called so are matched as any tool is. */
export const isPrograms = (tool: ToolDeclaration): boolean =>
  tool.type === 'function' &&
  tool.name === 'programmatic_tool_calling' &&
  propertiesOf(tool.parameters).some(({ name }) => name === 'code')

export const asksForProgram = (text: string): boolean => FENCED.test(text) || ASKING.test(text)

/** What the words themselves say is to be run; null: nothing. */
export const programIn = (text: string): string | null => {
  const given = FENCED.exec(text)?.[1] ?? QUOTED.exec(text)?.[1] ?? ''
  return given.trim() === '' ? null : given.trimEnd()
}

/** As the tool lists what a program may call, each with its arguments on a line of their own. */
const LISTED = /^- (tools(?:\.[\w$]+|\["[^"\n]*"\])+)\(input\)(?:: ([^\n]*))?\n {2}input: (\{.*\}|a text)$/gm

export type CallableTool = { readonly expression: string; readonly tool: ToolDeclaration }

export function callableIn({ description }: ToolDeclaration): readonly CallableTool[] {
  return [...(description ?? '').matchAll(LISTED)].map(([, expression = '', about, input = '']) => {
    const name = expression
      .replace(/^tools[.[]/, '')
      .replace(/["\]]/g, '')
      .replace(/[.[]/g, '__')
    const shared = { name, description: about ?? null }
    const tool: ToolDeclaration =
      input === 'a text'
        ? { ...shared, type: 'custom', format: { type: 'text' } }
        : { ...shared, type: 'function', parameters: readSchema(input), strict: false }
    return { expression, tool }
  })
}

function readSchema(text: string): Readonly<Record<string, unknown>> {
  try {
    const read: unknown = JSON.parse(text)
    return typeof read === 'object' && read !== null && !Array.isArray(read) ? { ...read } : {}
  } catch {
    return {}
  }
}

type Call = { readonly kind: 'function' | 'custom'; readonly name: string; readonly input: string }

export function programOf(calls: readonly Call[], callable: readonly CallableTool[]): string {
  const lines = calls.map(({ name, kind, input }) => {
    const expression = callable.find(({ tool }) => tool.name === name)?.expression ?? `tools.${name}`
    return `  ${expression}(${kind === 'custom' ? JSON.stringify(input) : input}),`
  })
  if (lines.length === 0) return `text('No tool of this program fits what was asked.')`
  return ['const results = await Promise.all([', ...lines, '])', 'for (const result of results) text(result)'].join(
    '\n',
  )
}

const MARK = /^\[From a program [^\n]*\]\n/
const MAX_SAID = 4_000

/** Null for an output of another tool. */
export function answerFromProgram(name: string, output: string): string | null {
  if (name !== 'programmatic_tool_calling' || !MARK.test(output)) return null
  return `The program gave: ${shorten(output.replace(MARK, ''), MAX_SAID)}`
}
