/**
 * Documents of office programs and books: the text of their XML, in order. Runs in the process that reads documents.
 *
 * The XML is read by its tags alone. Nothing in it is resolved, so entities and references to other files are text.
 */
import { DocumentError } from './extract-text.ts'
import { readHtml } from './read-html.ts'
import { type Archive, readZip } from './read-zip.ts'

export async function readDocx(bytes: Uint8Array): Promise<readonly string[]> {
  const parts = await readZip(bytes, (name) => /^word\/(document|footnotes|endnotes)\.xml$/.test(name))
  const body = required(parts, 'word/document.xml')
  const notes = ['word/footnotes.xml', 'word/endnotes.xml'].flatMap((name) => parts.get(name) ?? [])
  return [[body, ...notes].map((xml) => textOf(xml, WORD)).join('\n')]
}

/** One page for each slide. */
export async function readPptx(bytes: Uint8Array): Promise<readonly string[]> {
  const parts = await readZip(bytes, (name) => /^ppt\/slides\/slide\d+\.xml$/.test(name))
  if (parts.size === 0) throw new DocumentError('malformed', 'it holds no slides')
  return byNumber(parts).map((xml) => textOf(xml, SLIDE))
}

/** One page for each sheet; cells of a row are parted by tabs. */
export async function readXlsx(bytes: Uint8Array): Promise<readonly string[]> {
  const parts = await readZip(bytes, (name) => /^xl\/(sharedStrings|worksheets\/sheet\d+)\.xml$/.test(name))
  const shared = [...(parts.get('xl/sharedStrings.xml') ?? '').matchAll(/<si\b[^>]*>([\s\S]*?)<\/si>/g)]
  const strings = shared.map(([, xml = '']) => textOf(xml, CELL))
  const sheets = byNumber(new Map([...parts].filter(([name]) => name.includes('/sheet'))))
  if (sheets.length === 0) throw new DocumentError('malformed', 'it holds no sheets')
  return sheets.map((xml) =>
    [...xml.matchAll(/<row\b[^>]*>([\s\S]*?)<\/row>/g)].map(([, row = '']) => rowOf(row, strings)).join('\n'),
  )
}

function rowOf(row: string, strings: readonly string[]): string {
  const cells = [...row.matchAll(/<c\b([^>]*)>([\s\S]*?)<\/c>/g)]
  return cells
    .map(([, attributes = '', content = '']) => {
      const value = /<v\b[^>]*>([\s\S]*?)<\/v>/.exec(content)?.[1]
      if (/\bt="s"/.test(attributes)) return strings[Number(value)] ?? ''
      return value === undefined ? textOf(content, CELL) : decodeXml(value)
    })
    .join('\t')
}

/** One page for each chapter, in the order of the book. */
export async function readEpub(bytes: Uint8Array): Promise<readonly string[]> {
  const parts = await readZip(bytes, (name) => /\.(opf|x?html?)$/i.test(name) || name === 'META-INF/container.xml')
  const packagePath = /full-path="([^"]+)"/.exec(required(parts, 'META-INF/container.xml'))?.[1] ?? ''
  const opf = required(parts, packagePath)
  const folder = packagePath.slice(0, packagePath.lastIndexOf('/') + 1)
  const hrefs = new Map(
    [...opf.matchAll(/<item\b[^>]*>/g)].map(([tag]) => [attributeOf(tag, 'id'), attributeOf(tag, 'href')]),
  )
  const pages: string[] = []
  for (const [tag] of opf.matchAll(/<itemref\b[^>]*>/g)) {
    const html = parts.get(`${folder}${hrefs.get(attributeOf(tag, 'idref')) ?? ''}`)
    if (html !== undefined) pages.push(...(await readHtml(Buffer.from(html))))
  }
  return pages
}

type Tags = {
  /** What stands in it is text. */
  readonly text: RegExp
  /** A line ends with it. */
  readonly line: RegExp
  readonly tab: RegExp
}

const WORD: Tags = { text: /^w:t$/, line: /^(\/w:p|w:br|w:cr)$/, tab: /^(w:tab|\/w:tc)$/ }
const SLIDE: Tags = { text: /^a:t$/, line: /^(\/a:p|a:br)$/, tab: /^\/a:tc$/ }
const CELL: Tags = { text: /^t$/, line: /^$/, tab: /^$/ }

function textOf(xml: string, { text, line, tab }: Tags): string {
  const out: string[] = []
  let isText = false
  for (const [, tag = '', between = ''] of xml.matchAll(/<(\/?[\w:.-]*)[^>]*>([^<]*)/g)) {
    if (text.test(tag)) isText = true
    else if (text.test(tag.slice(1))) isText = false
    if (line.test(tag)) out.push('\n')
    else if (tab.test(tag)) out.push('\t')
    if (isText) out.push(decodeXml(between))
  }
  return out.join('').trim()
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }
const MAX_CODE_POINT = 0x10ffff

const decodeXml = (text: string): string =>
  text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w{2,4}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES[name] ?? whole
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal)
    return code <= MAX_CODE_POINT ? String.fromCodePoint(code) : whole
  })

const attributeOf = (tag: string, name: string): string =>
  decodeXml(new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? '')

function required(parts: Archive, name: string): string {
  const part = parts.get(name)
  if (part === undefined) throw new DocumentError('malformed', `it lacks its part '${name.slice(0, 80)}'`)
  return part
}

/** `slide2` before `slide10`. */
const byNumber = (parts: Archive): string[] =>
  [...parts]
    .map(([name, xml]) => ({ number: Number(/(\d+)\.xml$/.exec(name)?.[1] ?? 0), xml }))
    .sort((a, b) => a.number - b.number)
    .map(({ xml }) => xml)
