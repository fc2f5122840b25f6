/** Keys that do not live in the store: those of the file, and `ANTIPHON_API_KEY`. */
import { type Placed, reportRepeated } from './compound-kinds.ts'
import { type keys as keysKind, SCOPES } from './entities.ts'
import { type Read, type ReadContext, secret } from './kinds.ts'
import { isLoopback } from './loopback.ts'
import { DEFAULT_PROJECT_NAME, projectIdOf } from './project-name.ts'
import type { KeyConfig } from './resolved-config.ts'
import { wholeSource } from './source-node.ts'
import { didYouMean } from './suggest.ts'

/** A short key is fine where only this computer can try it. */
const MIN_LENGTH_LOOPBACK = 8
const MIN_LENGTH_PUBLIC = 16
export const ENV_KEY_ALIAS = 'ANTIPHON_API_KEY'

type WrittenKey = Read<ReturnType<typeof keysKind>>[number]
type KeyOptions = {
  readonly host: string
  readonly noAuth: boolean
  /** Names of the projects that have settings. */
  readonly projects: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
}

export function resolveKeys(written: readonly WrittenKey[], options: KeyOptions, context: ReadContext): KeyConfig[] {
  reportRepeated(
    written.map(({ key_alias }) => key_alias),
    'the key',
    context,
  )
  const keys = written.map(
    ({ key_alias, key, project, scopes, expires }): KeyConfig => ({
      alias: key_alias.value,
      key: checkLength(key, options.host, context),
      projectId: projectIdOf(checkProject(project, options, context)),
      scopes: scopes ?? SCOPES.filter((scope) => scope !== 'admin'),
      expiresAt: expires,
    }),
  )
  const own = ownKey(options, context)
  const all = own === null ? keys : [...keys, own]
  if (new Set(all.map(({ key }) => key)).size < all.length) {
    const place = written.at(-1)?.key.place ?? wholeSource(ENV_KEY_ALIAS)
    context.error(place, 'two keys are the same; give each its own')
  }
  return all
}

function ownKey({ env, host }: KeyOptions, context: ReadContext): KeyConfig | null {
  const text = env[ENV_KEY_ALIAS]
  if (text === undefined || text === '') return null
  const place = wholeSource(ENV_KEY_ALIAS)
  const value = secret().read({ type: 'scalar', value: text, text, place }, context)
  if (value === undefined) return null
  return {
    alias: ENV_KEY_ALIAS,
    key: checkLength({ value, place }, host, context),
    projectId: projectIdOf(DEFAULT_PROJECT_NAME),
    scopes: SCOPES,
    expiresAt: null,
  }
}

/** A project needs no settings, but a name that is almost one with settings was probably meant to be that. */
function checkProject(project: Placed<string> | null, { projects }: KeyOptions, context: ReadContext): string {
  if (project === null) return DEFAULT_PROJECT_NAME
  const { value, place } = project
  const meant = projects.includes(value) ? '' : didYouMean(value, projects)
  if (meant !== '') context.warn(place, `there are no settings of a project "${value}"${meant}`)
  return value
}

function checkLength({ value, place }: Placed<string>, host: string, context: ReadContext): string {
  const least = isLoopback(host) ? MIN_LENGTH_LOOPBACK : MIN_LENGTH_PUBLIC
  if (value.length < least) {
    const where = isLoopback(host) ? '' : ` when the server listens on ${host}`
    context.error(place, `a key needs at least ${least} characters${where}`)
  }
  return value
}
