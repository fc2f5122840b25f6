/** What a model is told of the programs that it may write: the tools that they can call, as they are now. */
import type { ToolDeclaration } from '../../models/model.ts'
import type { DeclaredTool } from '../../tools/tool.ts'

/** Characters of the list of tools; a longer one goes on with names alone. */
export const MAX_LISTED_CHARS = 60_000
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/

/** Where a tool stands in a program. */
export const pathOf = ({ namespace, name, spec }: DeclaredTool): readonly string[] => {
  if (spec.type === 'mcp') return [spec.server_label, name]
  return namespace === null ? [name] : [namespace, name]
}

const spelled = (path: readonly string[]): string =>
  path.reduce(
    (whole, part) => (IDENTIFIER.test(part) ? `${whole}.${part}` : `${whole}[${JSON.stringify(part)}]`),
    'tools',
  )

export function describePrograms(declaration: ToolDeclaration, callable: readonly DeclaredTool[]): ToolDeclaration {
  const lines: string[] = []
  let room = MAX_LISTED_CHARS
  for (const tool of callable) {
    const whole = lineOf(tool)
    const line = whole.length <= room ? whole : `- ${spelled(pathOf(tool))}(input)`
    room -= line.length
    lines.push(line)
  }
  const list = lines.length === 0 ? 'No tool of this request can be called by a program.' : lines.join('\n')
  return { ...declaration, description: `${declaration.description ?? ''}\n${list}` }
}

function lineOf(tool: DeclaredTool): string {
  const { declaration } = tool
  const about = declaration.description === null ? '' : `: ${declaration.description}`
  const input = declaration.type === 'custom' ? 'a text' : JSON.stringify(declaration.parameters ?? { type: 'object' })
  const gives = outputSchemaOf(tool)
  const said = gives === null ? '' : `\n  gives: ${JSON.stringify(gives)}`
  return `- ${spelled(pathOf(tool))}(input)${about}\n  input: ${input}${said}`
}

function outputSchemaOf({ spec, name }: DeclaredTool): object | null {
  const own = spec.type === 'namespace' ? spec.tools.find((tool) => tool.name === name) : spec
  return own?.type === 'function' ? (own.output_schema ?? null) : null
}
