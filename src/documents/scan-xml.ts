/**
 * XML by its tags alone, from its beginning to its end in one pass, whatever it looks like: it takes as long as it is
 * long. Nothing in it is resolved, so entities and references to other files are text.
 */
export type Tag = {
  /** As it stands in the tag, with the prefix; `/` before it ends an element. */
  readonly name: string
  /** What follows the name, up to the end of the tag. */
  readonly rest: string
  /** Between this tag and the next one, as written. */
  readonly after: string
}

/** What opens a tag that nothing closes is not looked at, nor what stands behind it. */
export function* scanTags(xml: string): Generator<Tag, void, undefined> {
  let open = xml.indexOf('<')
  while (open !== -1) {
    const close = xml.indexOf('>', open)
    if (close === -1) return
    const next = xml.indexOf('<', close)
    const end = nameEnd(xml, open + 1, close)
    const after = xml.slice(close + 1, next === -1 ? undefined : next)
    yield { name: xml.slice(open + 1, end), rest: xml.slice(end, close), after }
    open = next
  }
}

const isNameEnd = (code: number) => code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d
const SLASH = 0x2f

function nameEnd(xml: string, from: number, close: number): number {
  let at = from + 1
  while (at < close && !isNameEnd(xml.charCodeAt(at)) && xml.charCodeAt(at) !== SLASH) at++
  return Math.min(at, close)
}

export const isEmptyElement = ({ rest }: Tag): boolean => rest.endsWith('/')

/** Empty when there is none. */
export function attributeOf({ rest }: Tag, name: string): string {
  return decodeXml(new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`).exec(rest)?.slice(1).join('') ?? '')
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }
const MAX_CODE_POINT = 0x10ffff

/** The five names and the numbers; what a document declares itself stays as it is written. */
export const decodeXml = (text: string): string =>
  text.includes('&')
    ? text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w{2,4}));/gi, (whole, decimal, hex, name) => {
        if (name !== undefined) return ENTITIES[name] ?? whole
        const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal)
        return code <= MAX_CODE_POINT ? String.fromCodePoint(code) : whole
      })
    : text
