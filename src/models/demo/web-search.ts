/** Searching the web when asked to: what to search for or open, and an answer that cites what came back. */
import type { ToolDeclaration } from '../model.ts'
import { propertiesOf } from './schema-properties.ts'
import { shorten } from './words.ts'

const ADDRESS = /\bhttps?:\/\/[^\s"'<>]+[^\s"'<>.,;:!?)\]]/i
const SEARCHING =
  /\b(?:search|google|browse|look(?: it| that| this)?(?: up)?|check|find)\b[^.?!\n]{0,60}\b(?:web|internet|online|net)\b|\b(?:web|internet|online) search\b/i
const OPENING = /\b(?:open|read|visit|fetch|summari[sz]e|find|look)\b/i
const FINDING = /\bfind\s+["'“]([^"'”\n]{1,200})["'”]/i
const TOPIC =
  /\b(?:web|internet|online|net)(?: search)?\b(?:\s+and\s+(?:tell me|say|answer))?\s*(?:(?:for|about|on)\b)?[\s:,]*(.+)$/is
const MAX_TOPIC = 200

/** A tool of that name which takes queries; others that are called so are matched as any tool is. */
export const isWebSearch = (tool: ToolDeclaration): boolean =>
  tool.type === 'function' &&
  tool.name === 'web_search' &&
  propertiesOf(tool.parameters).some(({ name }) => name === 'queries')

export const asksForTheWeb = (text: string): boolean =>
  SEARCHING.test(text) || (ADDRESS.test(text) && OPENING.test(text))

export function webSearchInput(text: string): object {
  const url = ADDRESS.exec(text)?.[0]
  const pattern = FINDING.exec(text)?.[1]
  if (url !== undefined && pattern !== undefined) return { action: 'find_in_page', url, pattern }
  if (url !== undefined && OPENING.test(text)) return { action: 'open_page', url }
  const topic = TOPIC.exec(text)?.[1] ?? text
  const query = shorten(topic.replace(/\s+/g, ' ').replace(/[\s.?!"']+$|^["']/g, ''), MAX_TOPIC)
  return { action: 'search', queries: [query === '' ? shorten(text.trim(), MAX_TOPIC) : query] }
}

const CONTENT = /<web_content>\n([\s\S]*?)\n<\/web_content>/
const MAX_SOURCES = 3
const MAX_SAID = 400

/** Null for an output that quotes no pages. */
export function answerFromWeb(output: string): string | null {
  const content = CONTENT.exec(output)?.[1]
  if (content === undefined) return null
  const entries = content.split(/\n\n(?=【\d+】)/).slice(0, MAX_SOURCES)
  const said = entries.flatMap((entry) => sentenceOf(entry) ?? [])
  return said.length === 0 ? null : `On the web I found: ${said.join(' ')}`
}

/** An entry is its mark and title, its address, perhaps a date, and what it says. */
function sentenceOf(entry: string): string | null {
  const [, mark, title = '', rest = ''] = /^(【\d+】) ([^\n]*)\n[^\n]*\n?([\s\S]*)$/.exec(entry) ?? []
  if (mark === undefined) return null
  const lines = rest
    .split('\n')
    .filter((line) => line !== '' && !/^\[from character|^\d{4}-\d\d/.test(line) && line !== `# ${title}`)
  const text = shorten(lines.join(' ').trim() || title, MAX_SAID).replace(/[.\s]+$/, '')
  return `${text}${mark}.`
}
