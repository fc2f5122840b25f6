/** Searching files when asked to: what to look for, and an answer from what came back that cites it. */
import type { ToolDeclaration } from '../model.ts'
import { propertiesOf } from './schema-properties.ts'
import { contentWords, sentencesOf, shorten } from './words.ts'

const FILES = /\b(?:files?|documents?|docs|uploads?|attachments?|manuals?|handbooks?|knowledge base|vector stores?)\b/i
const TOPIC =
  /\b(?:files?|documents?|docs|uploads?|attachments?|manuals?|handbooks?|knowledge base|vector stores?)\b(?:\s+and\s+(?:tell me|say|answer))?\s*(?:(?:for|about|on)\b)?[\s:,]*(.+)$/is
const MAX_TOPIC = 200

/** A tool of that name which takes queries; others that are called so are matched as any tool is. */
export const isFileSearch = (tool: ToolDeclaration): boolean =>
  tool.type === 'function' &&
  tool.name === 'file_search' &&
  propertiesOf(tool.parameters).some(({ name }) => name === 'queries')

/** A question is enough where nothing else could answer it. */
export const asksForFiles = (text: string, offersOthers: boolean): boolean =>
  FILES.test(text) || (!offersOthers && /\?\s*$/.test(text))

export function fileSearchInput(text: string): object {
  const topic = FILES.test(text) ? (TOPIC.exec(text)?.[1] ?? text) : text
  const query = shorten(topic.replace(/\s+/g, ' ').replace(/[\s.?!"']+$|^["']/g, ''), MAX_TOPIC)
  return { queries: [contentWords(query).size === 0 ? shorten(text.trim(), MAX_TOPIC) : query] }
}

const CONTENT = /<file_content>\n([\s\S]*?)\n<\/file_content>/
const MAX_SENTENCES = 2
const MAX_SAID = 400

/** The sentences that have most of the words of the question. Null for an output that quotes no files. */
export function answerFromFiles(output: string, question: string): string | null {
  const content = CONTENT.exec(output)?.[1]
  if (content === undefined) return /^Nothing was found in the files\b/.test(output) ? output : null
  const words = contentWords(question)
  const found = content.split(/\n\n(?=【\d+】 )/).flatMap((entry, place) => sentencesIn(entry, words, place))
  const best = found.sort((a, b) => b.shared - a.shared || a.place - b.place).slice(0, MAX_SENTENCES)
  const [first] = best
  if (first === undefined) return null
  const said = best.filter(({ shared }) => shared === first.shared)
  return `The files say: ${said.map(({ text, mark }) => `${text}${mark}.`).join(' ')}`
}

/** An entry is its mark and the name of the file, then what it says. */
function sentencesIn(entry: string, words: Set<string>, place: number) {
  const [, mark, body = ''] = /^(【\d+】) [^\n]*\n([\s\S]*)$/.exec(entry) ?? []
  if (mark === undefined) return []
  return sentencesOf(body.replace(/\s+/g, ' ')).map((sentence) => {
    const shared = [...contentWords(sentence)].filter((word) => words.has(word)).length
    return { mark, text: shorten(sentence.trim(), MAX_SAID).replace(/[.\s]+$/, ''), shared, place }
  })
}
