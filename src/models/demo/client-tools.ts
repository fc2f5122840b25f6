/** Shells, patches, computers and the search for tools, on plain words: "run `ls`", "create a file a.txt with ...". */
import type { ToolDeclaration } from '../model.ts'
import { shorten } from './words.ts'

/** What is wanted of the tool of this name; null: nothing that could be read. */
type Reader = (text: string) => object | null

const FILE = String.raw`["'\x60]?([\w./-]+\.[\w-]+)["'\x60]?`
const RUNNING = /\b(?:run|execute)\b(?:\s+(?:the|these|this))?(?:\s+(?:shell\s+)?commands?)?\s*:?\s*([^\n]+)/i
const QUOTED = /`([^`\n]+)`/g
const CREATING = new RegExp(
  String.raw`\b(?:create|write|make)\b.*?\bfile\b.*?${FILE}(?:.*?\b(?:with|containing|saying)\b(?: the)?(?: (?:text|content|line))?[:\s]+([\s\S]+))?`,
  'i',
)
const DELETING = new RegExp(String.raw`\b(?:delete|remove)\b.*?\bfile\b.*?${FILE}`, 'i')
const REPLACING = new RegExp(
  String.raw`\bin (?:the )?(?:file )?${FILE},? (?:replace|change) (?:the line )?["'\x60]?(.+?)["'\x60]? (?:with|to|by) ["'\x60]?(.+?)["'\x60]?[.\s]*$`,
  'is',
)
const POINT = /(-?\d+)\s*(?:,|x|and)\s*(-?\d+)/i
const TYPING = /\btype\s+["'“`]([^"'”`]+)["'”`]/i
const PRESSING = /\bpress\s+([A-Za-z0-9]+(?:\s*\+\s*[A-Za-z0-9]+)*)/i
const SEARCHING =
  /\b(?:find|search(?: for)?|look for|is there)\s+(?:a |some |the )?tools?\b\s*(?:(?:for|that|to|which|can)\s+)*(.+)/is
const MAX_QUERY = 200
const SCROLL = 300

export function commandsIn(text: string): string[] {
  const rest = RUNNING.exec(text)?.[1]
  if (rest === undefined) return []
  const quoted = [...rest.matchAll(QUOTED)].map(([, command = '']) => command)
  const plain = rest.replace(/\s+(?:in|on|using|with) (?:the|a|my) (?:local )?shell\b.*$/i, '').replace(/[.\s]+$/, '')
  return quoted.length > 0 ? quoted : plain === '' ? [] : [plain]
}

const unquoted = (text: string) => text.trim().replace(/^(["'`])([\s\S]*)\1[.\s]*$/, '$2')
const added = (text: string) =>
  unquoted(text)
    .split('\n')
    .map((line) => `+${line}\n`)
    .join('')

function patchIn(text: string): object | null {
  const [, changed, from, to] = REPLACING.exec(text) ?? []
  if (changed && from && to) return { type: 'update_file', path: changed, diff: `@@\n-${from}\n+${to}\n` }
  const [, created, content] = CREATING.exec(text) ?? []
  if (created) return { type: 'create_file', path: created, diff: added(content ?? created) }
  const [, deleted] = DELETING.exec(text) ?? []
  return deleted ? { type: 'delete_file', path: deleted } : null
}

function actionIn(text: string): object | null {
  const [, x, y] = POINT.exec(text) ?? []
  const at = { x: Number(x ?? 0), y: Number(y ?? 0) }
  if (/\bdouble[- ]click\b/i.test(text)) return { type: 'double_click', ...at }
  if (/\bclick\b/i.test(text))
    return { type: 'click', button: /\bright[- ]click\b/i.test(text) ? 'right' : 'left', ...at }
  if (/\bmove\b.*\b(?:mouse|pointer|cursor)\b/i.test(text)) return { type: 'move', ...at }
  if (/\bscroll\b/i.test(text))
    return { type: 'scroll', ...at, scroll_x: 0, scroll_y: /\bup\b/i.test(text) ? -SCROLL : SCROLL }
  const typed = TYPING.exec(text)?.[1]
  if (typed !== undefined) return { type: 'type', text: typed }
  const pressed = PRESSING.exec(text)?.[1]
  if (pressed !== undefined) return { type: 'keypress', keys: pressed.toUpperCase().split(/\s*\+\s*/) }
  return /\bscreenshot\b|\b(?:see|show|look at)\b.*\bscreen\b/i.test(text) ? { type: 'screenshot' } : null
}

const shell: Reader = (text) => {
  const commands = commandsIn(text)
  return commands.length > 0 ? { commands } : null
}
const localShell: Reader = (text) => {
  const [command] = commandsIn(text)
  return command ? { command: ['bash', '-lc', command] } : null
}
const asList = (action: object | null) => action && { actions: [action] }
const asOne = (action: object | null) => action && { action }
const toolSearch: Reader = (text) => {
  const wanted = SEARCHING.exec(text)?.[1]
  return wanted ? { query: shorten(wanted.replace(/[\s.?!]+$/, ''), MAX_QUERY) } : null
}

type Known = { readonly read: Reader; readonly otherwise: (text: string) => object }

/** By the type of the tool; a function that only has the same name is like any other. */
const KNOWN: ReadonlyMap<string, Known> = new Map<string, Known>([
  ['shell', { read: shell, otherwise: () => ({ commands: ['pwd'] }) }],
  ['local_shell', { read: localShell, otherwise: () => ({ command: ['pwd'] }) }],
  [
    'apply_patch',
    { read: patchIn, otherwise: () => ({ type: 'create_file', path: 'example.txt', diff: '+example\n' }) },
  ],
  ['computer', { read: (text) => asList(actionIn(text)), otherwise: () => ({ actions: [{ type: 'screenshot' }] }) }],
  [
    'computer_use_preview',
    { read: (text) => asOne(actionIn(text)), otherwise: () => ({ action: { type: 'screenshot' } }) },
  ],
  ['tool_search', { read: toolSearch, otherwise: (text) => ({ query: shorten(text.trim(), MAX_QUERY) }) }],
])

function knownOf(tool: ToolDeclaration): Known | undefined {
  if (tool.type !== 'function') return undefined
  return KNOWN.get(tool.native?.type ?? (tool.name === 'tool_search' ? tool.name : ''))
}

/** Whether the words ask for what this tool does. */
export const asksForClientTool = (tool: ToolDeclaration, text: string): boolean =>
  (knownOf(tool)?.read(text) ?? null) !== null

/** Null for other tools, and where the arguments are written out. */
export function clientToolInput(tool: ToolDeclaration, text: string): object | null {
  const known = knownOf(tool)
  if (!known || /\{[\s\S]*\}/.test(text)) return null
  return known.read(text) ?? known.otherwise(text)
}
