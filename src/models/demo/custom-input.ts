/** The free text a custom tool is called with. */
import { compilePattern } from '../../lib/pattern.ts'
import type { ToolDeclaration } from '../model.ts'
import { findArithmetic } from './arithmetic.ts'
import { fitLark } from './lark-grammar.ts'
import { quotedIn, unquote } from './words.ts'

type CustomTool = Extract<ToolDeclaration, { type: 'custom' }>

/** From the user's text; where a grammar forbids that, a part of it or a sample that the grammar allows. */
export function customInput(tool: CustomTool, text: string): string {
  const candidates = candidatesIn(text, tool.name)
  const [first = text] = candidates
  if (tool.format.type === 'text') return first
  const words = text.split(/\s+/).flatMap((word) => [word, word.replace(/[.,;:!?]+$/, '')])
  if (tool.format.syntax === 'lark') return fitLark(tool.format.definition, [...candidates, ...words]) ?? first
  const pattern = compilePattern(`^(?:${tool.format.definition})$`)
  if (!pattern) return first
  return [...candidates, ...words].find((candidate) => pattern.matches(candidate)) ?? pattern.sample() ?? first
}

/** Nicest first: "with input X", code blocks, quotes, arithmetic, the whole request. */
function candidatesIn(text: string, name: string): string[] {
  const given = /\b(?:with (?:the )?)?input(?: exactly)?\s*(?::|=|is)?\s+([\s\S]+)$/i.exec(text)?.[1]?.trim()
  const blocks = [...text.matchAll(/```[\w-]*\n([\s\S]*?)```/g)].map((match) => (match[1] ?? '').trimEnd())
  const patch = /\*\*\* Begin Patch[\s\S]*?\*\*\* End Patch/.exec(text)?.[0]
  const sum = findArithmetic(text)?.expression
  const colon = new RegExp(`${name.replaceAll(/\W/g, '.')}[^:\\n]{0,40}:\\s*([\\s\\S]+)$`, 'i').exec(text)?.[1]?.trim()
  const quoted = quotedIn(text).filter((part) => part !== name)
  const found = [given && unquote(given), patch, ...blocks, colon && unquote(colon), ...quoted, sum, text.trim()]
  return found.filter((part): part is string => part !== undefined && part !== '')
}
