/**
 * The one way to a configuration: flag > environment > file > default, each value with its origin. Every problem of
 * every source is found in one go, also of values that another source overrules.
 */
import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { findConfigFile, readConfigFile } from './config-file.ts'
import type { ConfigSources } from './config-sources.ts'
import { readEnvironment } from './environment.ts'
import { absolutePath, type ReadContext } from './kinds.ts'
import { DEMO } from './known-providers.ts'
import { nestSettings } from './nest-settings.ts'
import { type ReadSettings, readSettings } from './read-settings.ts'
import { resolveCodeInterpreter } from './resolve-code-interpreter.ts'
import { resolveFileStorage } from './resolve-file-storage.ts'
import { resolveImageGeneration } from './resolve-image-generation.ts'
import { resolveKeys } from './resolve-keys.ts'
import { resolveMcpServers } from './resolve-mcp-servers.ts'
import { resolveModels } from './resolve-models.ts'
import { resolveProjects } from './resolve-projects.ts'
import { type ProviderResult, resolveProviders } from './resolve-providers.ts'
import { resolveWebSearch } from './resolve-web-search.ts'
import { resolveWebhooks } from './resolve-webhooks.ts'
import type {
  DeploymentConfig,
  DisabledProvider,
  ModelConfig,
  ResolvedConfig,
  SimpleSettings,
} from './resolved-config.ts'
import { type Place, type Problem, type SourceNode, sortProblems, wholeSource } from './source-node.ts'
import type { SettingPath } from './table.ts'

export type ConfigResult =
  | { readonly type: 'config'; readonly config: ResolvedConfig; readonly warnings: readonly Problem[] }
  | { readonly type: 'problems'; readonly problems: readonly Problem[] }

export async function resolveConfig(sources: ConfigSources): Promise<ConfigResult> {
  const problems: Problem[] = []
  const file = findConfigFile(sources, problems)
  const context = createContext(sources, file, problems)
  const root = file === null ? null : await readConfigFile(file, problems)
  const environment = await readEnvironment(sources.env, problems)
  const read = readSettings({ flags: flagNodes(sources), environment, root, fileName: nameOf(file) }, context)
  const config = build(read, sources, file, context)
  const sorted = sortProblems(problems)
  if (sorted.some(({ severity }) => severity === 'error')) return { type: 'problems', problems: sorted }
  return { type: 'config', config, warnings: sorted }
}

const nameOf = (file: string | null) => (file === null ? null : basename(file))

function createContext(sources: ConfigSources, file: string | null, problems: Problem[]): ReadContext {
  return {
    env: sources.env,
    home: sources.home,
    error: (place, message) => problems.push({ place, message, severity: 'error' }),
    warn: (place, message) => problems.push({ place, message, severity: 'warning' }),
    // What a file says is meant from where it lies; what flags and variables say, from where one stands.
    folderOf: (place: Place) => (file !== null && place.source === basename(file) ? dirname(file) : sources.cwd),
    readFile: (path) => readFileSync(path, 'utf8'),
  }
}

function flagNodes({ flags }: ConfigSources): ReadonlyMap<SettingPath, SourceNode> {
  return new Map(
    [...flags].map(([path, { flag, value }]) => [
      path,
      { type: 'scalar', value, text: value, place: wholeSource(flag) } as const,
    ]),
  )
}

function build(read: ReadSettings, sources: ConfigSources, file: string | null, context: ReadContext): ResolvedConfig {
  const simple = nestSettings(read.values)
  const dataDir = simple.storage.dataDir ?? join(sources.home, '.antiphon')
  const options = {
    modelsDir: join(dataDir, 'models'),
    env: sources.env,
    discover: simple.discovery.enabled,
    timeoutMs: simple.router.requestTimeoutMs,
    own: simple.server,
  }
  const found = resolveProviders(read.values.providers, { ...options, catalog: sources.providers }, context)
  const written = resolveModels(read.values.models ?? [], read.values.aliases, namesOf(found), context)
  const { providers, engines } = settleEngines(found, written.models)
  return {
    ...withoutTools(simple),
    webSearch: resolveWebSearch(read, context),
    codeInterpreter: resolveCodeInterpreter(read, context),
    imageGeneration: resolveImageGeneration(read, context),
    fileSearch: {
      embeddingModel: read.values['tools.file_search.embedding_model'],
      vectorBytes: read.values['tools.file_search.vector_memory'],
    },
    storage: resolveStorage(simple.storage, dataDir, read, context),
    sharedCache: simple.storage.cache,
    fileStorage: resolveFileStorage(simple.storage, dataDir, read, context),
    providers,
    disabledProviders: found.disabled,
    engineCandidates: engines,
    pulledModels: found.pulled,
    models: withoutDisabled(written.models, found.disabled),
    aliases: written.aliases,
    projects: resolveProjects(read.values.projects, simple.retention.responsesMs, context),
    keys: resolveKeys(
      read.values.keys ?? [],
      {
        host: simple.server.host,
        noAuth: sources.noAuth,
        projects: [...(read.values.projects?.keys() ?? [])],
        env: sources.env,
      },
      context,
    ),
    mcp: {
      enabled: read.values['tools.mcp.enabled'],
      servers: resolveMcpServers(read.values['tools.mcp.servers'], context),
    },
    webhooks: resolveWebhooks(read.values.webhooks, context),
    authEnabled: !sources.noAuth,
    file,
    origins: read.origins,
  }
}

const withoutTools = ({ tools: _, ...rest }: SimpleSettings): Omit<SimpleSettings, 'tools'> => rest

const namesOf = ({ providers, disabled, engines, pulled }: ProviderResult) => [
  DEMO,
  ...[...providers, ...disabled, ...engines, ...(pulled === null ? [] : [pulled])].map(({ name }) => name),
]

/** An engine that a deployment names is a provider, whether it runs at the moment or not; others are looked for. */
function settleEngines({ providers, engines, discovered }: ProviderResult, models: readonly ModelConfig[]) {
  const used = new Set(models.flatMap(({ deployments }) => deployments.map(({ provider }) => provider)))
  return {
    providers: [...providers, ...engines.filter(({ name }) => used.has(name))],
    engines: discovered ? engines.filter(({ name }) => !used.has(name)) : [],
  }
}

/** A provider without its key takes its deployments with it; a model that loses all of them is not there. */
export function withoutDisabled(models: readonly ModelConfig[], disabled: readonly DisabledProvider[]): ModelConfig[] {
  const isUsable = ({ provider }: DeploymentConfig) => !disabled.some(({ name }) => name === provider)
  return models
    .map((model) => ({ ...model, deployments: model.deployments.filter(isUsable) }))
    .filter(({ deployments }) => deployments.length > 0)
}

const DATABASE_FILE = 'antiphon.db'

function resolveStorage(
  { databaseUrl, postgres }: SimpleSettings['storage'],
  dataDir: string,
  read: ReadSettings,
  context: ReadContext,
): ResolvedConfig['storage'] {
  if (databaseUrl === null || databaseUrl.startsWith('sqlite:')) {
    return { dataDir, databasePath: databasePath(databaseUrl, dataDir, read, context) }
  }
  return { dataDir, databasePath: join(dataDir, DATABASE_FILE), postgres: { url: databaseUrl, ...postgres } }
}

function databasePath(url: string | null, dataDir: string, read: ReadSettings, context: ReadContext): string {
  if (url === null) return join(dataDir, DATABASE_FILE)
  const path = url.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '')
  return absolutePath(path, read.placeOf('storage.database_url'), context)
}
