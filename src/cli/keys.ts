/** `antiphon keys create | list | revoke | rotate-sealing`: works on the store itself, whether a server runs or not. */

import { DEFAULT_PROJECT_NAME, PROJECT_NAME, projectIdOf } from '../config/project-name.ts'
import type { ResolvedConfig } from '../config/resolved-config.ts'
import { didYouMean } from '../config/suggest.ts'
import { parseDuration } from '../config/units.ts'
import type { StoredKey } from '../store/store.ts'
import { KEY_SCOPES, type KeyScope } from '../store/store.ts'
import { CommandError, type KeyAdmin } from './app-interface.ts'
import { CONFIG_OPTIONS, type Command, type CommandInput, JSON_OPTION } from './command.ts'
import { EXIT } from './exit-codes.ts'
import { type Host, line } from './host.ts'
import { loadConfig } from './load-config.ts'
import { dateText, tableText } from './table-text.ts'

const DEFAULT_SCOPES: readonly KeyScope[] = KEY_SCOPES.filter((scope) => scope !== 'admin')
const MAX_NAME = 64

async function openKeys(input: CommandInput, command: Command, host: Host): Promise<KeyAdmin> {
  const config = await loadConfig(input, command.options, host)
  const app = await host.loadApp()
  return app.openKeys(config)
}

const usageError = (message: string) => new CommandError(message, { exitCode: EXIT.usage })

export const keysCreate: Command = {
  name: 'keys create',
  doc: 'Make an API key; it is shown once.',
  positionals: [],
  options: {
    name: { value: 'NAME', doc: 'To tell keys apart (key).' },
    project: { value: 'NAME', doc: 'Whose responses it sees; projects see nothing of each other (default).' },
    scopes: { value: 'LIST', doc: `Of ${KEY_SCOPES.join(',')} (all but admin).` },
    expires: { value: 'WHEN', doc: 'A time from now as 90d or 12h, or a date as 2027-06-30 (never).' },
    ...JSON_OPTION,
    ...CONFIG_OPTIONS,
  },
  async run(input, host) {
    const wanted = {
      name: nameOf(input.values.get('name') ?? 'key'),
      projectId: projectOf(input.values.get('project') ?? DEFAULT_PROJECT_NAME),
      scopes: scopesOf(input.values.get('scopes')),
      expiresAt: expiryOf(input.values.get('expires'), host.now()),
    }
    const config = await loadConfig(input, keysCreate.options, host)
    noteNewProject(wanted.projectId, config, host)
    const app = await host.loadApp()
    await using admin = await app.openKeys(config)
    const { key, stored } = await admin.create(wanted)
    if (input.switches.has('json')) {
      line(host.stdout, JSON.stringify({ ...toJson(stored), key }, null, 2))
      return EXIT.ok
    }
    const expiry = stored.expiresAt === null ? 'never expires' : `expires ${dateText(stored.expiresAt)}`
    line(host.stderr, `Made the key ${stored.id} "${stored.name}" (${stored.scopes.join(', ')}; ${expiry}).`)
    line(host.stderr, 'It is shown only this once:')
    line(host.stdout, key)
    return EXIT.ok
  },
}

export const keysList: Command = {
  name: 'keys list',
  doc: 'List the keys of the store.',
  positionals: [],
  options: { ...JSON_OPTION, ...CONFIG_OPTIONS },
  async run(input, host) {
    await using admin = await openKeys(input, keysList, host)
    const keys = await admin.list()
    if (input.switches.has('json')) line(host.stdout, JSON.stringify({ keys: keys.map(toJson) }, null, 2))
    else if (keys.length === 0) line(host.stderr, 'There are no keys yet; antiphon keys create makes one.')
    else line(host.stdout, listText(keys, host.now()))
    return EXIT.ok
  },
}

export const keysRevoke: Command = {
  name: 'keys revoke',
  doc: 'End a key; running servers refuse it within 5 seconds.',
  positionals: ['ID'],
  options: { ...JSON_OPTION, ...CONFIG_OPTIONS },
  async run(input, host) {
    const id = idOf(input.positionals[0] ?? '')
    await using admin = await openKeys(input, keysRevoke, host)
    const revoked = await admin.revoke(id)
    if (input.switches.has('json')) line(host.stdout, JSON.stringify({ id, revoked }))
    else if (revoked) line(host.stdout, `revoked ${id}`)
    else line(host.stderr, `There is no key ${id} that could be revoked; antiphon keys list shows them.`)
    return revoked ? EXIT.ok : EXIT.failed
  },
}

export const keysRotateSealing: Command = {
  name: 'keys rotate-sealing',
  doc: 'Make a new key for encrypted reasoning and compactions.',
  positionals: [],
  options: { ...JSON_OPTION, ...CONFIG_OPTIONS },
  details: 'A server seals with the new key from its next start on. What older keys sealed still opens.',
  async run(input, host) {
    const config = await loadConfig(input, keysRotateSealing.options, host)
    const app = await host.loadApp()
    const { id, kept, dropped } = app.rotateSealing(config)
    if (input.switches.has('json')) line(host.stdout, JSON.stringify({ id, kept, dropped }))
    else {
      line(host.stdout, `made the sealing key ${id}; ${kept} older ${kept === 1 ? 'one stays' : 'ones stay'} in use`)
      if (dropped > 0) line(host.stderr, `${dropped} key was dropped: what it sealed cannot be opened any more.`)
    }
    return EXIT.ok
  },
}

/** A project has no other record than its keys and what they made. */
function projectOf(name: string): string {
  if (PROJECT_NAME.test(name)) return projectIdOf(name)
  throw usageError('--project takes up to 40 lower-case letters, digits and hyphens')
}

/** A misspelt name would be a project without the settings that were meant for it, such as zero retention. */
function noteNewProject(projectId: string, { projects }: ResolvedConfig, host: Host): void {
  if (projects.size === 0 || projects.has(projectId) || projectId === projectIdOf(DEFAULT_PROJECT_NAME)) return
  const nameOfId = (id: string) => id.slice(projectIdOf('').length)
  const meant = didYouMean(nameOfId(projectId), [...projects.keys()].map(nameOfId))
  line(host.stderr, `Note: the configuration says nothing of the project "${nameOfId(projectId)}"${meant}.`)
}

function nameOf(name: string): string {
  if (name.length <= MAX_NAME && !/\p{Cc}/u.test(name)) return name
  throw usageError(`--name takes up to ${MAX_NAME} characters, none of them a control character`)
}

function scopesOf(text: string | undefined): readonly KeyScope[] {
  if (text === undefined) return DEFAULT_SCOPES
  const names = new Set(text.split(',').map((name) => name.trim()))
  return [...names].map((name) => {
    const scope = KEY_SCOPES.find((it) => it === name)
    if (scope !== undefined) return scope
    throw usageError(`there is no scope "${name}"${didYouMean(name, KEY_SCOPES)}; they are ${KEY_SCOPES.join(', ')}`)
  })
}

/** Seconds since the epoch. A date alone means its end, in UTC. */
function expiryOf(text: string | undefined, now: number): number | null {
  if (text === undefined) return null
  const span = parseDuration(text)
  const date = /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T23:59:59Z` : text
  const at = span === null ? Date.parse(date) : now + span
  if (Number.isNaN(at)) throw usageError(`--expires takes 90d, 12h or a date as 2027-06-30, not "${text}"`)
  if (at <= now) throw usageError(`--expires ${text} is over already`)
  return Math.floor(at / 1000)
}

/** The id alone, also when the whole key was given: which is then not repeated. */
const idOf = (text: string) => /^sk-antiphon-([0-9A-Za-z]{12})_/.exec(text)?.[1] ?? text

function listText(keys: readonly StoredKey[], now: number): string {
  const rows = keys.map((key) => [
    key.id,
    key.name,
    key.projectId.replace(/^proj_/, ''),
    key.scopes.join(','),
    dateText(key.createdAt),
    key.expiresAt === null ? 'never' : dateText(key.expiresAt),
    stateOf(key, now),
  ])
  return tableText(['ID', 'NAME', 'PROJECT', 'SCOPES', 'MADE (UTC)', 'EXPIRES (UTC)', 'STATE'], rows)
}

function stateOf({ revokedAt, expiresAt }: StoredKey, now: number): 'revoked' | 'expired' | 'active' {
  if (revokedAt !== null) return 'revoked'
  return expiresAt !== null && expiresAt * 1000 <= now ? 'expired' : 'active'
}

/** Without the digest: it is of no use outside, and not for eyes. */
const toJson = ({ id, name, projectId, scopes, createdAt, expiresAt, revokedAt }: StoredKey) => ({
  id,
  name,
  project_id: projectId,
  scopes,
  created_at: createdAt,
  expires_at: expiresAt,
  revoked_at: revokedAt,
})
