/** Finds a provider package that the operator installed beside this one, and makes its provider. */
import type { LanguageModelV4 } from '@ai-sdk/provider'
import { isFields } from '../upstream/fields.ts'
import { SPECIFICATION } from './providers.ts'

export type PackageSource = {
  /** As npm names it; may go on to an entry of its own, as `@ai-sdk/google-vertex/anthropic`. */
  readonly packageName: string
  /** The function that makes the provider, as `createCohere`; null: the one that there is. */
  readonly factory: string | null
  /** The function of the provider that makes a model, as `chat`; null: the provider's own choice. */
  readonly method: string | null
}

/** What makes models of one package; `settings` are the package's own. */
export type OpenPackage = (settings: Readonly<Record<string, unknown>>) => (name: string) => LanguageModelV4

/** The package cannot be used; the message says what to do. */
export class PackageError extends Error {
  override readonly name = 'PackageError'
}

type Callable = (...args: readonly unknown[]) => unknown
const isCallable = (value: unknown): value is Callable => typeof value === 'function'

/** Rejects with `PackageError`. */
export async function loadPackage(
  source: PackageSource,
  importModule: (name: string) => Promise<unknown> = (name) => import(name),
): Promise<OpenPackage> {
  const { packageName } = source
  const module = await importModule(packageName).catch((cause: unknown) => {
    throw isMissing(cause, packageName)
      ? new PackageError(`its package is not installed: npm install ${rootOf(packageName)}`, { cause })
      : new PackageError(`its package ${packageName} does not load`, { cause })
  })
  const create = findFactory(module, source)
  return (settings) => {
    const provider = create(settings)
    const make = source.method === null ? makerOf(provider) : memberOf(provider, source.method)
    if (!make) throw new PackageError(`${packageName} makes no language models${methodHint(source)}`)
    return (name) => readModel(make(name), packageName)
  }
}

const rootOf = (name: string) => name.split('/', name.startsWith('@') ? 2 : 1).join('/')

/** The package itself, and not something that it imports in turn. */
function isMissing(cause: unknown, packageName: string): boolean {
  if (!(cause instanceof Error) || !('code' in cause) || cause.code !== 'ERR_MODULE_NOT_FOUND') return false
  return cause.message.includes(`'${rootOf(packageName)}'`)
}

/** By its name; else the `create...` function that is named after the package; else the only one. */
function findFactory(module: unknown, { packageName, factory }: PackageSource): Callable {
  const found = Object.entries(isFields(module) ? module : {}).flatMap(([name, value]) =>
    /^create[A-Z]/.test(name) && isCallable(value) ? [{ name, value }] : [],
  )
  const wanted = `create${(rootOf(packageName).split('/').at(-1) ?? '').replaceAll('-', '')}`.toLowerCase()
  const choice =
    factory === null
      ? (found.find(({ name }) => name.toLowerCase() === wanted) ?? (found.length === 1 ? found[0] : undefined))
      : found.find(({ name }) => name === factory)
  if (choice) return choice.value
  const names = found.map(({ name }) => name).join(', ') || 'none'
  throw new PackageError(`${packageName} has no ${factory ?? `single factory`}; set "factory" to one of: ${names}`)
}

const makerOf = (provider: unknown): Callable | null =>
  memberOf(provider, 'languageModel') ?? (isCallable(provider) ? provider : null)

function memberOf(provider: unknown, name: string): Callable | null {
  const member: unknown =
    (typeof provider === 'function' || isFields(provider)) && name in provider ? Reflect.get(provider, name) : null
  return isCallable(member) ? (...args) => Reflect.apply(member, provider, args) : null
}

const methodHint = ({ method }: PackageSource) => (method === null ? '' : ` by "${method}"`)

function readModel(model: unknown, packageName: string): LanguageModelV4 {
  if (isLanguageModel(model)) return model
  const version =
    isFields(model) && typeof model.specificationVersion === 'string' ? model.specificationVersion : 'none'
  throw new PackageError(
    `${packageName} speaks version ${version} of the provider specification and ${SPECIFICATION} is needed: npm install ${rootOf(packageName)}@latest`,
  )
}

const isLanguageModel = (model: unknown): model is LanguageModelV4 =>
  isFields(model) && model.specificationVersion === SPECIFICATION && isCallable(model.doStream)
