/** `antiphon usage`: what was called, how much of it, and what it cost. */
import { parseDuration } from '../config/units.ts'
import type { CostLine } from '../protocol/cost.ts'
import type { UsageRow, UsageSum } from '../store/store.ts'
import { CommandError } from './app-interface.ts'
import { CONFIG_OPTIONS, type Command, JSON_OPTION } from './command.ts'
import { EXIT } from './exit-codes.ts'
import { type Host, line } from './host.ts'
import { loadConfig } from './load-config.ts'
import { tableText } from './table-text.ts'

const DEFAULT_SINCE = '30d'
const DEFAULT_BY = 'day'
const MS_PER_SECOND = 1000

/** What sums can be grouped by, and the part of a sum that says it. */
const GROUPS = {
  day: (sum: UsageSum) => sum.day,
  model: (sum: UsageSum) => `${sum.provider}/${sum.model}`,
  provider: (sum: UsageSum) => sum.provider,
  key: (sum: UsageSum) => sum.keyId,
  project: (sum: UsageSum) => sum.projectId,
} as const
type Group = keyof typeof GROUPS
const GROUP_NAMES: readonly Group[] = ['day', 'model', 'provider', 'key', 'project']

export const usage: Command = {
  name: 'usage',
  doc: 'Show calls, tokens and costs; of one response, the arithmetic.',
  positionals: [],
  options: {
    by: { value: 'GROUPS', doc: `One or more of ${GROUP_NAMES.join(', ')} (default: ${DEFAULT_BY}).` },
    since: { value: 'AGE', doc: `How far back, as 12h or 7d (default: ${DEFAULT_SINCE}).` },
    response: { value: 'ID', doc: 'The calls of one response, with what each cost and why.' },
    csv: { doc: 'Print comma-separated values.' },
    ...JSON_OPTION,
    ...CONFIG_OPTIONS,
  },
  details:
    'Works while a server runs. Days are those of UTC. A call whose price is unknown is counted, and its cost is not\n' +
    'part of the sum: the column UNPRICED says how many there are.',
  async run(input, host) {
    const groups = groupsOf(input.values.get('by') ?? DEFAULT_BY)
    const ageMs = ageOf(input.values.get('since') ?? DEFAULT_SINCE)
    const config = await loadConfig(input, usage.options, host)
    const app = await host.loadApp()
    await using admin = await app.openUsage(config)
    const responseId = input.values.get('response')
    const format = input.switches.has('json') ? 'json' : input.switches.has('csv') ? 'csv' : 'table'
    if (responseId !== undefined)
      return showCalls(await admin.usageOf(toResponseId(responseId)), responseId, format, host)
    const sums = await admin.sumUsage(Math.floor((admin.nowMs() - ageMs) / MS_PER_SECOND))
    showTotals(groups, totalsOf(sums, groups), format, host)
    return EXIT.ok
  },
}

type Format = 'table' | 'csv' | 'json'

/** A chat completion is a response by another name. */
const toResponseId = (id: string) => id.replace(/^chatcmpl-/, 'resp_')

function groupsOf(text: string): readonly Group[] {
  return text.split(',').map((name) => {
    const group = GROUP_NAMES.find((known) => known === name)
    if (group !== undefined) return group
    throw new CommandError(`--by takes ${GROUP_NAMES.join(', ')}, separated by commas, not "${name}"`, {
      exitCode: EXIT.usage,
    })
  })
}

function ageOf(text: string): number {
  const age = parseDuration(text)
  if (age !== null) return age
  throw new CommandError(`--since takes an age as 12h or 7d, not "${text}"`, { exitCode: EXIT.usage })
}

type Total = { readonly group: readonly string[] } & Pick<
  UsageSum,
  'calls' | 'inputTokens' | 'cachedTokens' | 'outputTokens' | 'costUsd' | 'unpricedCalls'
>

function totalsOf(sums: readonly UsageSum[], groups: readonly Group[]): readonly Total[] {
  const totals = new Map<string, Total>()
  for (const sum of sums) {
    const group = groups.map((name) => GROUPS[name](sum))
    const key = JSON.stringify(group)
    totals.set(key, add(totals.get(key) ?? null, { ...sum, group }))
  }
  return [...totals.values()].sort((a, b) => (a.group.join('\n') < b.group.join('\n') ? -1 : 1))
}

function add(a: Total | null, b: Total): Total {
  if (a === null) return b
  return {
    group: a.group,
    calls: a.calls + b.calls,
    inputTokens: a.inputTokens + b.inputTokens,
    cachedTokens: a.cachedTokens + b.cachedTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    costUsd: a.costUsd === null || b.costUsd === null ? (a.costUsd ?? b.costUsd) : a.costUsd + b.costUsd,
    unpricedCalls: a.unpricedCalls + b.unpricedCalls,
  }
}

function showTotals(groups: readonly Group[], totals: readonly Total[], format: Format, host: Host): void {
  if (format === 'json') {
    const rows = totals.map(({ group, ...rest }) => ({
      ...Object.fromEntries(groups.map((name, index) => [name, group[index]])),
      ...rest,
    }))
    line(host.stdout, JSON.stringify(rows, null, 2))
    return
  }
  const header = [...groups, 'calls', 'input', 'cached', 'output', 'cost', 'unpriced']
  const rows = totals.map((total) => [
    ...total.group.map(plain),
    ...[total.calls, total.inputTokens, total.cachedTokens, total.outputTokens].map(String),
    costText(total, format),
    String(total.unpricedCalls),
  ])
  if (format === 'csv') for (const row of [header, ...rows]) line(host.stdout, row.map(csvCell).join(','))
  else if (rows.length === 0) line(host.stdout, 'No calls.')
  else
    line(
      host.stdout,
      tableText(
        header.map((name) => name.toUpperCase()),
        rows,
      ),
    )
}

/** What is unknown is said to be: a calls-only group has no number at all. */
function costText({ costUsd, unpricedCalls }: Total, format: Format): string {
  if (costUsd === null) return unpricedCalls === 0 || format === 'csv' ? '' : 'unknown'
  return format === 'csv' ? usd(costUsd) : `$${usd(costUsd)}`
}

function showCalls(rows: readonly UsageRow[], id: string, format: Format, host: Host): number {
  if (rows.length === 0) throw new CommandError(`The ledger knows no call for the response "${id}".`)
  if (format === 'json') line(host.stdout, JSON.stringify(rows, null, 2))
  else for (const row of rows) line(host.stdout, callText(row))
  return EXIT.ok
}

function callText({ provider, model, outcome, estimated, usage: used, cost }: UsageRow): string {
  const counted = `${used.input_tokens} input and ${used.output_tokens} output tokens${estimated ? ', estimated' : ''}`
  const head = `${plain(provider)}/${plain(model)} ${outcome}: ${counted}`
  if (cost === null) return `${head}\n  cost unknown`
  const lines = cost.lines.map(lineText)
  return [head, ...lines, `  = $${usd(cost.usd)}   (${cost.source}, ${cost.date})`].join('\n')
}

const lineText = ({ unit, quantity, price, usd: sum }: CostLine): string =>
  unit === 'call'
    ? `  1 call x $${usd(price)} = $${usd(sum)}`
    : `  ${quantity} ${unit.replace('_', ' ')} x $${usd(price)}/M = $${usd(sum)}`

const DECIMALS = 10
const usd = (value: number): string => value.toFixed(DECIMALS).replace(/\.?0+$/, '')

/** Names come from providers and configuration. */
const plain = (text: string) => text.replace(/\p{Cc}/gu, '?')
const csvCell = (text: string) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
