/** HTML: everything that is there to be read, block by block. Runs in the process that reads documents. */
import { DocumentError } from './document-reader.ts'
import { decodeText } from './read-plain.ts'
import type { TextBudget } from './text-budget.ts'

/** A tree of more is larger than the memory of the process. A page of a book has some thousand. */
export const MAX_HTML_TAGS = 250_000

type DomNode = {
  readonly nodeType: number
  readonly nodeName: string
  readonly textContent: string | null
  readonly childNodes: Iterable<DomNode>
}

const TEXT_NODE = 3
const ELEMENT_NODE = 1
const SKIPPED = new Set('SCRIPT STYLE NOSCRIPT TEMPLATE SVG IFRAME OBJECT CANVAS HEAD'.split(' '))
const BLOCKS = new Set(
  `P DIV SECTION ARTICLE MAIN HEADER FOOTER ASIDE NAV UL OL LI TABLE TR PRE BLOCKQUOTE H1 H2 H3 H4 H5 H6 DL DT DD FIGURE
  FIGCAPTION HR ADDRESS DETAILS SUMMARY FORM BR`.split(/\s+/),
)

export async function readHtml(bytes: Uint8Array, budget: TextBudget): Promise<readonly string[]> {
  const { parseHTML } = await import('linkedom')
  const html = decodeText(bytes, META_CHARSET)
  if (hasMoreTags(html, MAX_HTML_TAGS)) throw new DocumentError('too-large', `it has more than ${MAX_HTML_TAGS} tags`)
  // linkedom makes no document of a fragment.
  const { document } = parseHTML(/<html[\s>]/i.test(html) ? html : `<html><body>${html}</body></html>`)
  const title = document.querySelector('title')?.textContent ?? ''
  const text = tidy(`${title}\n${textOf(document.body ?? document.documentElement)}`)
  budget.spend(text.length)
  return [text]
}

function hasMoreTags(html: string, limit: number): boolean {
  let tags = 0
  for (let at = html.indexOf('<'); at !== -1 && tags <= limit; at = html.indexOf('<', at + 1)) tags++
  return tags > limit
}

const META_CHARSET = /<meta[^>]{0,200}charset\s*=\s*["']?\s*([\w:.-]{1,40})/i

/** Without recursion: documents nest as deep as they like. */
function textOf(root: DomNode): string {
  const out: string[] = []
  const open: { readonly isBlock: boolean; readonly children: Iterator<DomNode> }[] = []
  const enter = (node: DomNode) => {
    const name = node.nodeName.toUpperCase()
    if (node.nodeType === TEXT_NODE) out.push((node.textContent ?? '').replace(/\s+/g, ' '))
    if (node.nodeType !== ELEMENT_NODE || SKIPPED.has(name)) return
    const isBlock = BLOCKS.has(name)
    if (isBlock) out.push('\n')
    if (name === 'TD' || name === 'TH') out.push(' | ')
    open.push({ isBlock, children: node.childNodes[Symbol.iterator]() })
  }
  enter(root)
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const next = top.children.next()
    if (!next.done) {
      enter(next.value)
      continue
    }
    open.pop()
    if (top.isBlock) out.push('\n')
  }
  return out.join('')
}

const tidy = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n')
