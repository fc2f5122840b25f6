/** A JSON log line as a line for people. */

const COLOURS: Readonly<Record<string, number>> = { debug: 90, info: 36, warn: 33, error: 31 }
const LEVEL_WIDTH = 5
/** Shown at the front, or of no use on a terminal. */
const OMITTED: ReadonlySet<string> = new Set([
  'time',
  'level',
  'msg',
  'method',
  'route',
  'status',
  'duration_ms',
  'error',
])

export function prettyLine(json: string, colour: boolean): string {
  const line: unknown = JSON.parse(json)
  if (!isFields(line)) return json
  const paint = (text: string, code: number) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text)
  const level = show(line.level)
  const time = paint(show(line.time).slice(11, 23), 90)
  const label = paint(level.toUpperCase().padEnd(LEVEL_WIDTH), COLOURS[level] ?? 0)
  const rest = Object.entries(line)
    .filter(([name, value]) => !OMITTED.has(name) && value !== null && value !== undefined)
    .map(([name, value]) => `${paint(`${name}=`, 90)}${show(value)}`)
  return `${[time, label, headline(line), ...rest].join(' ')}${errorText(line.error)}\n`
}

/** `POST /v1/responses 200 12 ms`, or the message. */
function headline(line: Fields): string {
  if (line.method === undefined) return show(line.msg)
  return `${show(line.method)} ${show(line.route)} ${show(line.status)} ${show(line.duration_ms)} ms`
}

function errorText(error: unknown): string {
  if (!isFields(error)) return ''
  const stack = error.stack ?? `${show(error.type)}: ${show(error.message)}`
  const cause = isFields(error.cause) ? errorText(error.cause).replace('\n', '\n  caused by ') : ''
  return `\n${String(stack).split('\n').map(show).join('\n')}${cause}`
}

type Fields = Readonly<Record<string, unknown>>
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null

/** Control characters would let a client's header rewrite the terminal. */
const show = (value: unknown): string =>
  (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).replace(/[\p{Cc}\u2028\u2029]/gu, '?')
