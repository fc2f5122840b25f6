/** YAML text as source nodes with positions. */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLError,
} from 'yaml'
import type { MapEntry, Place, Problem, SourceNode } from './source-node.ts'

/** Deeper than any setting; also ends an alias that contains itself. */
const MAX_DEPTH = 16
const MAX_NODES = 100_000

export type YamlSource = {
  /** Null for an empty text, or when the text is broken beyond reading. */
  readonly root: SourceNode | null
  readonly problems: readonly Problem[]
}

/** `source` names the text in messages. */
export function readYaml(text: string, source: string): YamlSource {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { source, line, column: col }
  }
  const broken = document.errors.find((error) => error.code !== 'DUPLICATE_KEY')
  // After the first fault in the structure the parser stumbles over everything that follows.
  const told = broken === undefined ? document.errors : [broken]
  const problems = told.map((error): Problem => {
    const place = placeOf(error.pos[0])
    return { place, message: messageOf(error, text), severity: 'error' }
  })
  // A text with a broken structure reads as something its author did not mean.
  const root =
    broken === undefined && document.contents !== null
      ? toNode(document.contents, { document, placeOf, left: MAX_NODES }, 0)
      : null
  return { root, problems }
}

function messageOf(error: YAMLError, text: string): string {
  const offset = error.pos[0]
  if (error.code === 'DUPLICATE_KEY') return `duplicate key ${keyAt(text, offset)}`
  const reference = text.slice(Math.max(0, offset - 1), offset + 2).includes('${')
  const hint = reference ? ` (inside { } and [ ] write "\${...}" in quotes)` : ''
  return `not valid YAML: ${error.message}${hint}`
}

const keyAt = (text: string, offset: number) => JSON.stringify(/^["']?([^\s"':]*)/.exec(text.slice(offset))?.[1] ?? '')

type Reading = {
  readonly document: Document
  readonly placeOf: (offset: number) => Place
  /** Nodes still to be read: aliases inside aliases would else grow without bound. */
  left: number
}

function toNode(node: Node, reading: Reading, depth: number): SourceNode {
  const place = reading.placeOf(node.range?.[0] ?? 0)
  reading.left -= 1
  if (depth > MAX_DEPTH || reading.left < 0) return toScalar(null, '', place)
  if (isAlias(node)) {
    const target = node.resolve(reading.document)
    return target === undefined ? toScalar(null, '', place) : toNode(target, reading, depth + 1)
  }
  if (isMap(node)) return { type: 'map', entries: node.items.map((pair) => toEntry(pair, reading, depth)), place }
  if (isSeq(node)) {
    const items = node.items.filter((item) => isNode(item)).map((item) => toNode(item, reading, depth + 1))
    return { type: 'list', items, place }
  }
  return isScalar(node) ? toScalar(node.value, node.source, place) : toScalar(null, '', place)
}

function toEntry(pair: Pair, reading: Reading, depth: number): MapEntry {
  const keyPlace = reading.placeOf(isNode(pair.key) ? (pair.key.range?.[0] ?? 0) : 0)
  const key = isScalar(pair.key) ? (pair.key.source ?? '') : '(not a text)'
  const value = isNode(pair.value) ? toNode(pair.value, reading, depth + 1) : toScalar(null, '', keyPlace)
  return { key, keyPlace, value }
}

function toScalar(value: unknown, source: string | undefined, place: Place): SourceNode {
  const text = source ?? String(value)
  const known = typeof value === 'number' || typeof value === 'boolean' || value === null ? value : text
  return { type: 'scalar', value: known, text, place }
}
