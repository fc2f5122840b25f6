/** The functions a turn offers, as the library shows them to a model and constrains its arguments. */
import type { ModelTurn, ToolDeclaration } from '../model.ts'
import { toGrammarSchema } from './gbnf-schema.ts'
import type { ChatFunctions } from './llama-library.ts'

/** Null: the model may call nothing. */
export function encodeFunctions({ tools, toolChoice }: ModelTurn): ChatFunctions | null {
  if (toolChoice.mode === 'none') return null
  const allowed = tools.filter(({ name }) => toolChoice.allowed === null || toolChoice.allowed.includes(name))
  if (allowed.length === 0) return null
  return Object.fromEntries(allowed.map((tool) => [tool.name, encode(tool)]))
}

function encode(tool: ToolDeclaration): ChatFunctions[string] {
  const description = tool.description === null ? {} : { description: tool.description }
  const parameters = tool.type === 'function' ? tool.parameters : null
  if (parameters === null) return description
  return { ...description, params: toGrammarSchema({ type: 'object', ...parameters }).schema }
}
