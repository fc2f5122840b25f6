/** The kinds of the settings that hold more than one value: providers, models, aliases, projects, keys. */
import { FIELD_SUPPORTS, type FieldSupport, TURN_FIELDS, type TurnField } from '../lib/field-support.ts'
import { anyValue, list, mapOf, object, placed } from './compound-kinds.ts'
import { choice, date, decimal, duration, flag, integer, type Kind, path, secret, text, url } from './kinds.ts'
import { WIRE_APIS } from './known-providers.ts'
import { PROJECT_NAME } from './project-name.ts'

/** As the store knows them; kept equal by the type of the composition root. */
export const SCOPES = ['responses', 'files', 'read', 'admin'] as const
export type Scope = (typeof SCOPES)[number]

export const SUPPORTS = ['images', 'files', 'tools', 'custom_tools', 'json_schema', 'reasoning', 'logprobs'] as const
export type Support = (typeof SUPPORTS)[number]

/** Tools of the API that a provider runs itself; kept equal to the protocol's by the type of the composition root. */
export const HOSTED_TOOLS = ['web_search', 'file_search', 'code_interpreter', 'image_generation', 'mcp'] as const
export type HostedTool = (typeof HOSTED_TOOLS)[number]

const fieldKinds = (): Readonly<Record<TurnField, Kind<FieldSupport>>> => {
  const kinds = TURN_FIELDS.map((field) => [field, choice(FIELD_SUPPORTS)])
  // The check: the entries are made from all of TURN_FIELDS.
  return Object.fromEntries(kinds) as Record<TurnField, Kind<FieldSupport>>
}

/** What local models compute on. */
export const GPUS = ['auto', 'off', 'cuda', 'vulkan', 'metal'] as const
export type Gpu = (typeof GPUS)[number]

/** As the tool knows them; kept equal by the type of the composition root. */
export const SEARCH_ENGINES = ['searxng', 'brave', 'tavily', 'exa', 'serper', 'duckduckgo'] as const
/** `provider`: the model's own provider, where it has the tool. */
export const SANDBOXES = ['auto', 'bubblewrap', 'remote', 'off'] as const
export const PROGRAM_SANDBOXES = ['bubblewrap', 'off'] as const
export const SEARCHERS = [...SEARCH_ENGINES, 'provider'] as const
export type Searcher = (typeof SEARCHERS)[number]

/** Who draws for the tool `image_generation`; kept equal by the type of the composition root. */
export const IMAGE_ENGINES = ['openai', 'chat', 'demo'] as const

const PROVIDER_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}$/
const MODEL_NAME = /^[\x21-\x7e]{1,256}$/
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/

const PACKAGE_NAME = /^(@[a-z0-9][\w.-]*\/)?[a-z0-9][\w.-]*(\/[a-z0-9][\w-]*)*$/
const IDENTIFIER = /^[A-Za-z_$][\w$]{0,63}$/

const modelName = () => text('a model name', MODEL_NAME)

export const providers = () =>
  mapOf(
    PROVIDER_NAME,
    object('a provider', {
      type: placed(text('the type of a provider', PROVIDER_NAME)),
      api_base: url(),
      api_key: secret({ whenUnset: 'warn' }),
      headers: mapOf(HEADER_NAME, secret()),
      timeout: duration('1s', '24h'),
      wire_api: choice(WIRE_APIS),
      api_version: text('an API version as 2025-03-01-preview', /^[\w.-]{1,64}$/),
      hosted_tools: list(choice(HOSTED_TOOLS)),
      quirks: mapOf(/^[a-z][a-z0-9_]*$/, placed(flag())),
      package: text('a package as @ai-sdk/cohere', PACKAGE_NAME),
      factory: text('the name of a function, as createCohere', IDENTIFIER),
      method: text('the name of a function, as chat', IDENTIFIER),
      region: text('a region as eu-central-1', /^[a-z0-9-]{1,64}$/),
      options: mapOf(IDENTIFIER, anyValue()),
      price_list: text('a price list, as openai, or none', /^[a-z][a-z0-9_.-]{0,63}$/),
      dir: path(),
      context_size: integer(256, 100_000_000),
      threads: integer(1, 1024),
      gpu: choice(GPUS),
      idle_unload: duration('1s', '365d'),
      max_loaded: integer(1, 64),
    }),
  )

/** US dollars per million tokens. */
const price = () => decimal(0, 1_000_000)
const prices = () => ({
  input_cost_per_mtok: price(),
  cached_input_cost_per_mtok: price(),
  cache_write_cost_per_mtok: price(),
  output_cost_per_mtok: price(),
})

const deployment = () =>
  object(
    'a deployment',
    {
      model: placed(text('a name as provider/model', /^[^/\s]+\/[\x21-\x7e]+$/)),
      weight: decimal(0.001, 1_000_000),
      model_info: object('model_info of a deployment', prices()),
      rpm: integer(1, 1_000_000_000),
      tpm: integer(1, 1_000_000_000_000),
    },
    ['model'],
  )

const modelInfo = () =>
  object('model_info', {
    context_window: integer(1, 1_000_000_000),
    max_output_tokens: integer(1, 1_000_000_000),
    supports: list(choice(SUPPORTS)),
    ...prices(),
    fields: object('fields', fieldKinds()),
  })

export const models = () =>
  list(
    object(
      'a model',
      {
        model_name: placed(modelName()),
        deployments: list(deployment(), { atLeast: 1 }),
        fallbacks: list(placed(modelName())),
        content_policy_fallbacks: list(placed(modelName())),
        model_info: modelInfo(),
      },
      ['model_name', 'deployments'],
    ),
  )

export const aliases = () => mapOf(MODEL_NAME, placed(modelName()))

export const projects = () =>
  mapOf(PROJECT_NAME, object('a project', { zero_retention: flag(), retention: duration('1m', '36500d') }))

/** `host:port`, the host as URLs write it: IPv6 in brackets. */
export const hostAndPort = () =>
  text('a host with its port as 127.0.0.1:3000', /^(?:[\w.-]{1,255}|\[[0-9a-fA-F:.]+\]):\d{1,5}$/)

export const mcpServers = () =>
  mapOf(
    /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}$/,
    object('an MCP server', {
      url: url(),
      authorization: secret(),
      headers: mapOf(HEADER_NAME, secret()),
      command: text('a command'),
      args: list(text('an argument')),
      env: mapOf(/^[A-Za-z_][A-Za-z0-9_]*$/, secret()),
    }),
  )

export const keys = () =>
  list(
    object(
      'a key',
      {
        key_alias: placed(text('a short name', /^[\w .@-]{1,64}$/)),
        key: placed(secret()),
        project: placed(text('a name of lower-case letters, digits and hyphens', PROJECT_NAME)),
        scopes: list(choice(SCOPES)),
        expires: date(),
      },
      ['key_alias', 'key'],
    ),
  )

/** As the protocol has them; kept equal by the type of the composition root. */
export const WEBHOOK_EVENTS = [
  'response.completed',
  'response.failed',
  'response.cancelled',
  'response.incomplete',
] as const
export type WebhookEventName = (typeof WEBHOOK_EVENTS)[number]

export const webhooks = () =>
  mapOf(
    /^[a-z0-9][a-z0-9-]{0,63}$/,
    object(
      'a webhook',
      {
        url: url(),
        secret: placed(secret()),
        events: list(choice(WEBHOOK_EVENTS), { atLeast: 1 }),
        project: placed(text('a name of lower-case letters, digits and hyphens', PROJECT_NAME)),
      },
      ['url', 'secret'],
    ),
  )

export const searchEngines = () =>
  list(object('a search engine', { engine: choice(SEARCHERS), url: url(), api_key: secret() }, ['engine']))
