/**
 * Marks that a model writes -> annotations. Tools number what they find; where the text says `【3】` the client gets a link
 * to source 3, or nothing for a file, and an annotation that tells where. Links that a model writes itself to a page that
 * was found, or to a file of a container, as `[title](url)`, stay as they are and are annotated too.
 *
 * Invariants:
 * - What comes out does not depend on how the text was cut into deltas, and half a mark is never shown.
 * - What is no mark of a known source stays text.
 * - Indexes count characters (code points) of the text that the client gets; an annotation comes after its text.
 */
import type { Annotation } from '../protocol/content.ts'
import type { CitableSource } from '../tools/tool.ts'

export interface Citations {
  /** The mark of a source. */
  cite(source: CitableSource): string
  /** For one text from its start; null as long as there is nothing to cite. */
  openText(): TextCiter | null
}

export interface TextCiter {
  push(delta: string): CitedText
  /** What was held back is no mark. */
  end(): CitedText
}

export type CitedText = { readonly text: string; readonly annotations: readonly Annotation[] }

/** A mark is short; what grows longer is none. Characters. */
const MAX_MARK = 80
const MAX_LINK = 2500
/** `【3】`, `【1, 2】`, and what some models make of it: `【3†L4-L9】`. */
const MARK = /^【\s*\d{1,4}(?:†[^】,]*)?(?:\s*,\s*\d{1,4}(?:†[^】,]*)?)*\s*】$/
const MARK_BEGUN = /^【\s*(?:\d[^【】\n]*)?$/
const LINK = /^\[[^[\]\n]*\]\(\s*<?([^\s<>]+?)>?(?:\s+"[^"\n]*")?\s*\)$/

export function createCitations(): Citations {
  const sources: CitableSource[] = []
  const numbers = new Map<string, number>()
  /** Files that code made and no text has named yet: clients find them by their annotations alone. */
  const uncited = new Set<CitableSource>()
  return {
    cite(given) {
      const source = sources[(numbers.get(keyOf(given)) ?? 0) - 1] ?? given
      if (source.type === 'container-file') uncited.add(source)
      const key = keyOf(source)
      let number = numbers.get(key)
      if (number === undefined) {
        number = sources.push(source)
        numbers.set(key, number)
      }
      return `【${number}】`
    },
    openText: () =>
      sources.length === 0
        ? null
        : createTextCiter({
            byNumber: (number) => sources[number - 1],
            byUrl: (url) => sources[(numbers.get(url) ?? 0) - 1],
            uncited,
          }),
  }
}

const keyOf = (source: CitableSource) =>
  source.type === 'file' ? `file ${source.fileId}` : (normalUrl(addressOf(source)) ?? addressOf(source))

/** Code knows a file by its path alone, and models link to it so. */
const addressOf = (source: Exclude<CitableSource, { type: 'file' }>): string =>
  source.type === 'url' ? source.url : `sandbox:/mnt/data/${source.path}`

const normalUrl = (url: string): string | null => {
  const parsed = URL.parse(url)
  if (parsed === null) return null
  parsed.hash = ''
  return parsed.href
}

type Lookup = {
  byNumber(number: number): CitableSource | undefined
  byUrl(url: string): CitableSource | undefined
  readonly uncited: Set<CitableSource>
}

/** `depth`: of parentheses; where the first one closes, the link ends. */
type OpenLink = { text: string; readonly start: number; depth: number }

function createTextCiter(sources: Lookup): TextCiter {
  /** What may become a mark; empty, or begins with its bracket. */
  let held = ''
  /** What may become a link, shown already; null: no bracket is open. */
  let link: OpenLink | null = null
  /** Characters shown so far. */
  let length = 0
  let last = ''
  let out = { text: '', annotations: [] as Annotation[] }

  const show = (character: string) => {
    out.text += character
    length += 1
    last = character
  }
  const showMark = (cited: readonly CitableSource[]) => {
    link = null
    for (const source of cited) {
      sources.uncited.delete(source)
      const shown = shownAs(source)
      if (shown !== '' && /\S/.test(last)) show(' ')
      const start = length
      for (const character of shown) show(character)
      out.annotations.push(annotationOf(source, start, length))
    }
  }
  /** Text of the model itself, which may write a link of its own. */
  const say = (character: string) => {
    if (character === '[') link = { text: '', start: length, depth: 0 }
    show(character)
    if (link === null) return
    link.text += character
    if (character === '(') link.depth += 1
    if (character === ')') link.depth -= 1
    if (character === ')' && link.depth === 0) annotateLink(link)
    else if (link.text.length <= MAX_LINK && character !== '\n' && link.depth >= 0) return
    link = null
  }
  const annotateLink = ({ text, start }: OpenLink) => {
    const source = sources.byUrl(normalUrl(LINK.exec(text)?.[1] ?? '') ?? '')
    if (source === undefined) return
    sources.uncited.delete(source)
    out.annotations.push(annotationOf(source, start, length))
  }
  const release = () => {
    const characters = held
    held = ''
    for (const character of characters) say(character)
  }
  const read = (character: string) => {
    if (character === '【') {
      release()
      held = character
      return
    }
    if (held === '') return say(character)
    held += character
    if (character === '】') {
      const cited = citedBy(held, sources)
      if (cited === null) return release()
      held = ''
      showMark(cited)
    } else if (held.length > MAX_MARK || !MARK_BEGUN.test(held)) release()
  }
  const take = (): CitedText => {
    const taken = out
    out = { text: '', annotations: [] }
    return taken
  }
  return {
    push(delta) {
      for (const character of delta) read(character)
      return take()
    },
    end() {
      release()
      for (const source of sources.uncited) out.annotations.push(annotationOf(source, length, length))
      sources.uncited.clear()
      return take()
    },
  }
}

/** Null when it is no mark, or names a source that there is not. */
function citedBy(mark: string, sources: Lookup): readonly CitableSource[] | null {
  if (!MARK.test(mark)) return null
  const named = [...mark.matchAll(/(?:【|,)\s*(\d+)/g)].map(([, number]) => sources.byNumber(Number(number)))
  const cited = named.flatMap((source) => source ?? [])
  return cited.length === named.length ? cited : null
}

/** A link in parentheses, as the API's own search writes it; a file has no address to show. */
function shownAs(source: CitableSource): string {
  if (source.type === 'file') return ''
  const url = URL.parse(addressOf(source))
  // Nothing of it may end the link, or a JSON text around it.
  const href = (url?.href ?? addressOf(source)).replace(
    /[()\\"'<>\s]/g,
    (it) => `%${it.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  if (source.type === 'container-file') return `[${source.filename.replace(/[[\]()<>"\\]/g, '_')}](${href})`
  const host = (url?.hostname ?? 'source').replace(/^www\./, '')
  return `([${host}](${href}))`
}

function annotationOf(source: CitableSource, start_index: number, end_index: number): Annotation {
  switch (source.type) {
    case 'url':
      return { type: 'url_citation', url: source.url, title: source.title, start_index, end_index }
    case 'file':
      return { type: 'file_citation', file_id: source.fileId, filename: source.filename, index: start_index }
    case 'container-file': {
      const { containerId: container_id, fileId: file_id, filename } = source
      return { type: 'container_file_citation', container_id, file_id, filename, start_index, end_index }
    }
    default:
      return source satisfies never
  }
}
