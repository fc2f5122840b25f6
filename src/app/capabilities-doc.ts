/** Writes `docs/capabilities.md`: every provider that is known by name, and how every field of a request fares there. */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createProviderCatalog, type KnownProvider } from '../config/known-providers.ts'
import { resolveConfig } from '../config/resolve-config.ts'
import type { ProviderConfig, ResolvedConfig } from '../config/resolved-config.ts'
import { systemClock } from '../lib/clock.ts'
import type { TurnField } from '../lib/field-support.ts'
import { createRandomIds } from '../lib/ids.ts'
import { createUpstreamAgent, DEFAULT_UPSTREAM_CLOCKS } from '../lib/upstream-http.ts'
import { createAiSdkModel } from '../models/ai-sdk/ai-sdk-model.ts'
import { createBridgeFetch } from '../models/ai-sdk/bridge-fetch.ts'
import { createDemoModel } from '../models/demo/demo-model.ts'
import { emulate } from '../models/emulate.ts'
import { createIsolatedChecks } from '../models/isolated-checks.ts'
import type { FieldTable, Model } from '../models/model.ts'
import { ledgerOf } from '../models/overridden-fields.ts'
import { bridgedCapabilities } from './open-bridge.ts'
import { openProvider, type ProviderDeps } from './open-provider.ts'

const THEMES: readonly (readonly [string, readonly TurnField[]])[] = [
  [
    'What goes in',
    ['instructions', 'input.image', 'input.image_url', 'input.file', 'input.file_url', 'max_output_tokens', 'stop'],
  ],
  [
    'Tools',
    [
      'tools.function',
      'tools.custom',
      'tools.strict',
      'tool_choice',
      'tool_choice.allowed_tools',
      'parallel_tool_calls',
    ],
  ],
  [
    'What comes out',
    ['text.format.json_schema', 'text.format.json_object', 'text.verbosity', 'reasoning.effort', 'reasoning.summary'],
  ],
  ['Sampling', ['temperature', 'top_p', 'presence_penalty', 'frequency_penalty', 'top_logprobs']],
  [
    'Service',
    ['service_tier', 'prompt_cache_key', 'prompt_cache_retention', 'prompt_cache_breakpoint', 'safety_identifier'],
  ],
]

const INTRODUCTION = `# Capabilities

This page is written from the adapters by \`node scripts/run.js docs\`.

Not every provider takes every field of a request. How a field fares is one of four words:

- \`native\`: the provider takes it.
- \`emulated\`: this server does it, with the same outcome. The response says so in \`x-antiphon-warnings\`.
- \`ignored\`: a hint that has no effect. The response says so in \`x-antiphon-warnings\`.
- \`refused\`: the answer would mean something else, so the request is refused with a 400 that names the field. With
  \`defaults.unsupported_params: warn\` or \`drop\` the field is left out instead, and the response says so.

The tables hold for a model that nothing more is known about. A single model may do less: what is known of it by name,
what its provider says, what \`antiphon models test\` found and what the configuration says of it stand above them, in this
order. \`GET /v1/models/{id}\` shows what holds for one name in \`fields\`. See [routing](routing.md) for how to correct it.
`

type Row = { readonly name: string; readonly fields: Required<FieldTable> }

export async function capabilitiesDoc(known: readonly KnownProvider[]): Promise<string> {
  const rows = await readRows(known)
  return [INTRODUCTION, ...THEMES.map(([title, fields]) => table(title, fields, rows))].join('\n')
}

function table(title: string, fields: readonly TurnField[], rows: readonly Row[]): string {
  const head = ['provider', ...fields.map((field) => `\`${field}\``)]
  const lines = rows.map(({ name, fields: of }) => [`\`${name}\``, ...fields.map((field) => of[field])])
  const text = [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`)
  return `## ${title}\n\n${text.join('\n')}\n`
}

async function readRows(known: readonly KnownProvider[]): Promise<readonly Row[]> {
  const deps = { clock: systemClock, ids: createRandomIds() }
  const checks = createIsolatedChecks(deps)
  const config = await defaultConfig(known)
  const demo = { name: 'demo', fields: ledgerOf(emulate(createDemoModel(deps), {}, { ...deps, checks })) }
  const rows: Row[] = []
  for (const one of known) {
    const { model, close } = await openKnown(one, config, deps)
    rows.push({ name: one.name, fields: ledgerOf(emulate(model, {}, { ...deps, checks })) })
    await close()
  }
  return [...rows, demo]
}

type Opened = { readonly model: Model; close(): Promise<void> }

async function openKnown(known: KnownProvider, config: ResolvedConfig, deps: ProviderDeps): Promise<Opened> {
  if (known.packageName !== undefined) return openWithoutPackage(known.name, known.packageName, deps)
  const { provider, close } = await openProvider(connectionOf(known), config, deps)
  return { model: provider.open('any-model', {}), close }
}

/** What is known of a package holds whether it is installed here or not. */
function openWithoutPackage(provider: string, packageName: string, { clock }: ProviderDeps): Opened {
  const clocks = DEFAULT_UPSTREAM_CLOCKS
  const dispatcher = createUpstreamAgent(clocks)
  const model = createAiSdkModel({
    provider,
    packageName,
    secrets: [],
    headers: {},
    capabilities: bridgedCapabilities(packageName, {}),
    bridge: createBridgeFetch({ dispatcher, clock, clocks }),
    clock,
    clocks,
    model: () => {
      throw new TypeError('Documentation calls nobody.')
    },
  })
  return { model, close: () => dispatcher.destroy() }
}

const connectionOf = ({ name, baseUrl, wireApi }: KnownProvider): ProviderConfig => ({
  name,
  type: name,
  apiBase: baseUrl,
  apiKey: null,
  headers: {},
  timeoutMs: 60_000,
  wireApi,
  quirks: {},
  apiVersion: null,
  hostedTools: [],
  priceList: null,
  source: 'documentation',
})

/** As it is without a file, flags and variables. */
async function defaultConfig(known: readonly KnownProvider[]): Promise<ResolvedConfig> {
  const nowhere = join(tmpdir(), 'antiphon-without-configuration')
  const resolved = await resolveConfig({
    flags: new Map(),
    file: null,
    noAuth: false,
    env: {},
    providers: createProviderCatalog(known, {}),
    cwd: nowhere,
    home: nowhere,
  })
  if (resolved.type === 'config') return resolved.config
  throw new Error(resolved.problems.map(({ message }) => message).join('\n'))
}
