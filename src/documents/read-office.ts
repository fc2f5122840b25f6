/** Documents of office programs and books: the text of their XML, in order. Runs in the process that reads documents. */
import { DocumentError } from './document-reader.ts'
import { readHtml } from './read-html.ts'
import { type Archive, openZip } from './read-zip.ts'
import { attributeOf, decodeXml, isEmptyElement, scanTags } from './scan-xml.ts'
import type { TextBudget } from './text-budget.ts'

/** Chapters of a book, with those that come again. */
export const MAX_CHAPTERS = 5_000

export async function readDocx(bytes: Uint8Array, budget: TextBudget): Promise<readonly string[]> {
  const parts = openZip(bytes, (name) => /^word\/(document|footnotes|endnotes)\.xml$/.test(name))
  const body = required(parts, 'word/document.xml')
  const notes = ['word/footnotes.xml', 'word/endnotes.xml'].flatMap((name) => parts.read(name) ?? [])
  return [[body, ...notes].map((xml) => textOf(xml, WORD, budget)).join('\n')]
}

/** One page for each slide. */
export async function readPptx(bytes: Uint8Array, budget: TextBudget): Promise<readonly string[]> {
  const parts = openZip(bytes, (name) => /^ppt\/slides\/slide\d+\.xml$/.test(name))
  if (parts.names.length === 0) throw new DocumentError('malformed', 'it holds no slides')
  return byNumber(parts.names).map((name) => textOf(required(parts, name), SLIDE, budget))
}

/** One page for each sheet; cells of a row are parted by tabs. Rows without any are left out. */
export async function readXlsx(bytes: Uint8Array, budget: TextBudget): Promise<readonly string[]> {
  const parts = openZip(bytes, (name) => /^xl\/(sharedStrings|worksheets\/sheet\d+)\.xml$/.test(name))
  const sheets = byNumber(parts.names.filter((name) => name.includes('/sheet')))
  if (sheets.length === 0) throw new DocumentError('malformed', 'it holds no sheets')
  const strings = sharedStrings(parts.read('xl/sharedStrings.xml') ?? '', budget)
  return sheets.map((name) => sheetOf(required(parts, name), strings, budget))
}

function sharedStrings(xml: string, budget: TextBudget): readonly string[] {
  const strings: string[] = []
  let isText = false
  for (const tag of scanTags(xml)) {
    if (tag.name === 'si') {
      strings.push('')
      budget.spend(1)
    }
    if (tag.name === 't') isText = !isEmptyElement(tag)
    else if (tag.name === '/t') isText = false
    if (isText && strings.length > 0) strings[strings.length - 1] += decodeXml(tag.after)
  }
  return strings
}

function sheetOf(xml: string, strings: readonly string[], budget: TextBudget): string {
  const lines: string[] = []
  let row: string[] = []
  let cell: { readonly isShared: boolean; value: string | null; text: string } | null = null
  let within = ''
  const endRow = () => {
    if (row.some((text) => text !== '')) lines.push(row.join('\t'))
    row = []
  }
  for (const tag of scanTags(xml)) {
    const { name } = tag
    if (name === 'row') endRow()
    else if (name === 'c' && isEmptyElement(tag)) row.push('')
    else if (name === 'c') cell = { isShared: attributeOf(tag, 't') === 's', value: null, text: '' }
    else if (name === '/c' && cell !== null) {
      const { isShared, value, text } = cell
      const shown = isShared ? (strings[Number(value)] ?? '') : (value ?? text.trim())
      budget.spend(shown.length + 1)
      row.push(shown)
      cell = null
    }
    if (name === 'v' || name === 't') within = isEmptyElement(tag) ? '' : name
    else if (name === '/v' || name === '/t') within = ''
    if (cell !== null && within === 'v') cell.value = (cell.value ?? '') + decodeXml(tag.after)
    if (cell !== null && within === 't') cell.text += decodeXml(tag.after)
  }
  endRow()
  return lines.join('\n')
}

/** One page for each chapter, in the order of the book. */
export async function readEpub(bytes: Uint8Array, budget: TextBudget): Promise<readonly string[]> {
  const parts = openZip(bytes, (name) => /\.(opf|x?html?)$/i.test(name) || name === 'META-INF/container.xml')
  const packagePath = pathIn(required(parts, 'META-INF/container.xml'))
  const folder = packagePath.slice(0, packagePath.lastIndexOf('/') + 1)
  const hrefs = new Map<string, string>()
  const spine: string[] = []
  for (const tag of scanTags(required(parts, packagePath))) {
    if (tag.name === 'item') hrefs.set(attributeOf(tag, 'id'), attributeOf(tag, 'href'))
    if (tag.name === 'itemref') spine.push(attributeOf(tag, 'idref'))
    if (spine.length > MAX_CHAPTERS) throw new DocumentError('too-large', `it has more than ${MAX_CHAPTERS} chapters`)
  }
  const pages: string[] = []
  for (const id of spine) {
    const html = parts.read(`${folder}${hrefs.get(id) ?? ''}`)
    if (html !== undefined) pages.push(...(await readHtml(Buffer.from(html), budget)))
  }
  return pages
}

function pathIn(container: string): string {
  for (const tag of scanTags(container)) if (tag.name === 'rootfile') return attributeOf(tag, 'full-path')
  return ''
}

type Tags = {
  /** What stands in it is text. */
  readonly text: string
  /** A line ends with it. */
  readonly line: ReadonlySet<string>
  readonly tab: ReadonlySet<string>
}

const WORD: Tags = { text: 'w:t', line: new Set(['/w:p', 'w:br', 'w:cr']), tab: new Set(['w:tab', '/w:tc']) }
const SLIDE: Tags = { text: 'a:t', line: new Set(['/a:p', 'a:br']), tab: new Set(['/a:tc']) }

function textOf(xml: string, { text, line, tab }: Tags, budget: TextBudget): string {
  const out: string[] = []
  const add = (piece: string) => {
    budget.spend(piece.length)
    out.push(piece)
  }
  let isText = false
  for (const found of scanTags(xml)) {
    if (found.name === text) isText = !isEmptyElement(found)
    else if (found.name === `/${text}`) isText = false
    if (line.has(found.name)) add('\n')
    else if (tab.has(found.name)) add('\t')
    if (isText && found.after !== '') add(decodeXml(found.after))
  }
  return out.join('').trim()
}

function required(parts: Archive, name: string): string {
  const part = parts.read(name)
  if (part === undefined) throw new DocumentError('malformed', `it lacks its part '${name.slice(0, 80)}'`)
  return part
}

/** `slide2` before `slide10`. */
const byNumber = (names: readonly string[]): string[] =>
  names
    .map((name) => ({ name, number: Number(/(\d+)\.xml$/.exec(name)?.[1] ?? 0) }))
    .sort((a, b) => a.number - b.number)
    .map(({ name }) => name)
