/** What a person sees when the server has started. The last line, `READY url`, is for scripts. */
import { join } from 'node:path'
import { isLoopback } from '../config/loopback.ts'
import type { ResolvedConfig } from '../config/resolved-config.ts'
import type { ProviderSummary, StartSummary } from './app-interface.ts'

export type ScreenInput = {
  readonly version: string
  readonly config: ResolvedConfig
  readonly summary: StartSummary
  readonly url: string
  /** The default port was busy. */
  readonly movedFrom: number | null
  readonly home: string
  /** Whether the data directory holds the first key. */
  readonly hasKeyFile: boolean
  readonly colour: boolean
}

/** Where the first key is kept. */
export const keyFileOf = ({ storage }: ResolvedConfig) => join(storage.dataDir, 'api-key')

const LABEL_WIDTH = 12
const MAX_EXAMPLES = 3

export function startScreen(input: ScreenInput): string {
  const { summary, url, version } = input
  const bold = (text: string) => (input.colour ? `\u001b[1m${text}\u001b[0m` : text)
  const config = input.config.file === null ? '' : `   config ${short(input.config.file, input.home)}`
  return [
    '',
    `  ${bold(`antiphon ${version}`)}   data ${short(input.config.storage.dataDir, input.home)}${config}`,
    '',
    ...summary.providers.map((provider, index) =>
      row(index === 0 ? 'providers' : '', providerText(provider, input.colour)),
    ),
    row(
      'default',
      summary.defaultModel === null ? 'no model yet: name one in the request' : plain(summary.defaultModel),
    ),
    row('security', securityText(input.config)),
    '',
    ...portLines(input),
    row('API', bold(`${url}/v1`)),
    ...keyLines(input, bold),
    '',
    ...tryLines(input),
    ...summary.warnings.map((warning) => `  warning: ${plain(warning)}`),
    ...(summary.warnings.length > 0 ? [''] : []),
    `READY ${url}`,
    '',
  ].join('\n')
}

const row = (label: string, text: string) => `  ${label.padEnd(LABEL_WIDTH)}${text}`

/** Names come from providers: without control characters they cannot rewrite the terminal. */
const plain = (text: string) => text.replace(/\p{Cc}/gu, '?')

const short = (path: string, home: string) => (path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path)

function providerText({ name, state, source, modelCount, examples, note }: ProviderSummary, colour: boolean): string {
  const sign = state === 'ready' ? '✓' : state === 'unreachable' ? '✗' : '–'
  const paint = state === 'ready' ? 32 : state === 'unreachable' ? 31 : 90
  const count = modelCount === null ? '' : `${modelCount} ${modelCount === 1 ? 'model' : 'models'}`
  const shown = examples.slice(0, MAX_EXAMPLES).map(plain).join(', ')
  const more = modelCount !== null && examples.length > 0 && modelCount > MAX_EXAMPLES ? ', …' : ''
  const columns = [
    plain(name).padEnd(12),
    plain(source).padEnd(22),
    count.padEnd(11),
    `${shown}${more}`,
    plain(note ?? ''),
  ]
  return `${colour ? `\u001b[${paint}m${sign}\u001b[0m` : sign} ${columns.filter((it) => it !== '').join(' ')}`.trimEnd()
}

function securityText({ authEnabled, server }: ResolvedConfig): string {
  const reach = isLoopback(server.host) ? 'only this computer can connect' : `open to the network at ${server.host}`
  if (authEnabled) return `${reach}; every request needs a key   (antiphon keys create)`
  return `${reach}; WARNING: --no-auth, every program on it can use your providers`
}

function portLines({ movedFrom, url }: ScreenInput): string[] {
  if (movedFrom === null) return []
  return [`  port ${movedFrom} is in use, so this server took ${new URL(url).port} (choose one with --port)`, '']
}

function keyLines({ summary, config, home }: ScreenInput, bold: (text: string) => string): string[] {
  if (summary.firstKey === null) return []
  const kept = short(keyFileOf(config), home)
  return [
    row('API key', bold(summary.firstKey)),
    row('', `shown only this once; kept in ${kept} for tools on this computer`),
  ]
}

function tryLines(input: ScreenInput): string[] {
  const { summary, url } = input
  if (summary.defaultModel === null) return []
  const key = keyForCurl(input)
  const header = key === null ? '' : ` -H "authorization: Bearer ${key}"`
  const body = JSON.stringify({ model: plain(summary.defaultModel), input: 'Say hello' }).replaceAll("'", "'\\''")
  return [
    row('Try it', `curl ${url}/v1/responses -H 'content-type: application/json'${header} \\`),
    row('', `  -d '${body}'`),
    '',
  ]
}

/** The literal key only while it is on the screen anyway; later, where a shell finds it. */
function keyForCurl({ config, summary, hasKeyFile }: ScreenInput): string | null {
  if (!config.authEnabled) return null
  if (summary.firstKey !== null) return summary.firstKey
  if (config.keys.some(({ alias }) => alias === 'ANTIPHON_API_KEY')) return '$ANTIPHON_API_KEY'
  if (!hasKeyFile) return '$YOUR_KEY'
  const file = keyFileOf(config)
  return `$(cat ${/^[\w./~-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`})`
}
