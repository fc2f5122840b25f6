/**
 * The text of a web page. It runs in a thread of its own (`page-worker.ts`): a page may be made to keep its reader busy.
 * The parsers are loaded when the first page comes.
 */
export type RawPage = {
  readonly bytes: Uint8Array
  /** As the server said; null when it did not. */
  readonly charset: string | null
}

export type PageText = { readonly title: string; readonly text: string }

/** Longer texts are cut. Characters. */
export const MAX_PAGE_CHARS = 400_000
const MAX_TITLE_CHARS = 300

/** What of the DOM is read here. */
type DomNode = {
  readonly nodeType: number
  readonly nodeName: string
  readonly textContent: string | null
  readonly childNodes: Iterable<DomNode>
}

export async function htmlToText(page: RawPage): Promise<PageText> {
  const [{ parseHTML }, { Readability }] = await Promise.all([import('linkedom'), import('@mozilla/readability')])
  const html = decodeText(page)
  // linkedom makes no document of a fragment.
  const { document } = parseHTML(/<html[\s>]/i.test(html) ? html : `<html><body>${html}</body></html>`)
  const heading = document.querySelector('title')?.textContent ?? document.querySelector('h1')?.textContent ?? ''
  const whole = nodeToText(document.body ?? document.documentElement)
  const article = new Readability(document, { charThreshold: 200, serializer: (node: unknown) => node }).parse()
  const found = article?.content
  const main = isDomNode(found) ? nodeToText(found) : ''
  return {
    title: tidy(heading).slice(0, MAX_TITLE_CHARS).toWellFormed(),
    // What looks like the article may be a teaser in a page of another kind.
    text: (main.length * 10 > whole.length ? main : whole).slice(0, MAX_PAGE_CHARS).toWellFormed(),
  }
}

const isDomNode = (value: unknown): value is DomNode =>
  typeof value === 'object' && value !== null && 'nodeType' in value && 'childNodes' in value

const SKIPPED = new Set(
  'SCRIPT STYLE NOSCRIPT TEMPLATE SVG IFRAME OBJECT CANVAS FORM BUTTON SELECT HEAD NAV'.split(' '),
)
const BLOCKS = new Set(
  `P DIV SECTION ARTICLE MAIN HEADER FOOTER ASIDE UL OL LI TABLE TR PRE BLOCKQUOTE H1 H2 H3 H4 H5 H6 DL DT DD FIGURE
  FIGCAPTION HR ADDRESS DETAILS SUMMARY`.split(/\s+/),
)
const LEADS: Readonly<Record<string, string>> = {
  H1: '# ',
  H2: '## ',
  H3: '### ',
  H4: '#### ',
  H5: '##### ',
  H6: '###### ',
  LI: '- ',
  BLOCKQUOTE: '> ',
}
const TEXT_NODE = 3
const ELEMENT_NODE = 1

/** Lines as Markdown has them. Without recursion: pages nest as deep as they like. */
function nodeToText(root: DomNode): string {
  const out: string[] = []
  const open: { readonly node: DomNode; readonly children: Iterator<DomNode> }[] = []
  const enter = (node: DomNode) => {
    const name = node.nodeName.toUpperCase()
    if (node.nodeType === TEXT_NODE) out.push(tidyInline(node.textContent ?? ''))
    if (node.nodeType !== ELEMENT_NODE || SKIPPED.has(name)) return
    if (name === 'BR') out.push('\n')
    if (name === 'PRE') {
      out.push('\n', node.textContent ?? '', '\n')
      return
    }
    if (BLOCKS.has(name)) out.push('\n', LEADS[name] ?? '')
    if (name === 'TD' || name === 'TH') out.push(' | ')
    open.push({ node, children: node.childNodes[Symbol.iterator]() })
  }
  enter(root)
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const next = top.children.next()
    if (!next.done) {
      enter(next.value)
      continue
    }
    open.pop()
    if (BLOCKS.has(top.node.nodeName.toUpperCase())) out.push('\n')
  }
  return joinLines(out.join(''))
}

const tidyInline = (text: string) => text.replace(/\s+/g, ' ')
const tidy = (text: string) => tidyInline(text).trim()

const joinLines = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => !/^\s*(?:[-#>]+\s*)?$/.test(line))
    .join('\n')

const META_CHARSET = /<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w:.-]{1,40})/i
const SNIFFED_BYTES = 1024

/** In the encoding that the server named, or the page itself; UTF-8 where that is none that is known. */
export function decodeText({ bytes, charset }: RawPage): string {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, SNIFFED_BYTES)).toString('latin1')
  const label = charset ?? META_CHARSET.exec(head)?.[1] ?? 'utf-8'
  try {
    return new TextDecoder(label).decode(bytes)
  } catch {
    return new TextDecoder().decode(bytes)
  }
}
