/** `antiphon prune`: deletes what has expired, beside a running server or without one. */
import { parseDuration } from '../config/units.ts'
import type { Expired } from '../store/store.ts'
import { CommandError } from './app-interface.ts'
import { CONFIG_OPTIONS, type Command, JSON_OPTION } from './command.ts'
import { EXIT } from './exit-codes.ts'
import { line } from './host.ts'
import { loadConfig } from './load-config.ts'

/** A run may still stand on something that was made an hour ago. */
const MIN_AGE_MS = 3_600_000

export const prune: Command = {
  name: 'prune',
  doc: 'Delete responses and files that have expired; counts them first.',
  positionals: [],
  options: {
    'dry-run': { doc: 'Only count.' },
    older: { value: 'AGE', doc: 'Also responses that were made longer ago, as 30d or 12h (at least 1h).' },
    ...JSON_OPTION,
    ...CONFIG_OPTIONS,
  },
  details:
    'Works while a server runs: rows go in small batches. A response on which a kept one stands is kept. Files go\n' +
    'when their own time is over. A running server does all this by itself every ten minutes; the database keeps its\n' +
    'size, and the space in it is used again.',
  async run(input, host) {
    const olderMs = ageOf(input.values.get('older'))
    const isDry = input.switches.has('dry-run')
    const config = await loadConfig(input, prune.options, host)
    const app = await host.loadApp()
    await using admin = await app.openPrune(config, { olderMs })
    const expired = await admin.count()
    const isJson = input.switches.has('json')
    if (!isJson)
      line(isDry ? host.stdout : host.stderr, `${describe(expired)} ${isDry ? 'would be' : 'will be'} deleted.`)
    const deleted = isDry ? 0 : await admin.prune()
    if (isJson) line(host.stdout, JSON.stringify({ expired, deleted }))
    else if (!isDry) line(host.stdout, `deleted ${deleted} ${deleted === 1 ? 'response' : 'responses'}`)
    return EXIT.ok
  },
}

function ageOf(text: string | undefined): number | null {
  if (text === undefined) return null
  const age = parseDuration(text)
  if (age !== null && age >= MIN_AGE_MS) return age
  throw new CommandError(`--older takes an age of at least 1h, as 30d or 12h, not "${text}"`, { exitCode: EXIT.usage })
}

const KB = 1024

function describe({ responses, items, bytes, files, fileBytes }: Expired): string {
  const texts = `${responses} ${responses === 1 ? 'response' : 'responses'} with ${items} items (${sizeText(bytes)})`
  return files === 0 ? texts : `${texts} and ${files} ${files === 1 ? 'file' : 'files'} (${sizeText(fileBytes)})`
}

const sizeText = (bytes: number) =>
  bytes < KB * KB ? `${Math.ceil(bytes / KB)} KB` : `${(bytes / KB / KB).toFixed(1)} MB`
