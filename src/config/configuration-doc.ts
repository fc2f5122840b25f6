/** Writes `docs/configuration.md` from the table, so that the two cannot differ. */
import { SETTING_PATHS } from './environment.ts'
import type { Kind } from './kinds.ts'
import type { ProviderCatalog } from './known-providers.ts'
import { envNameOf, SETTINGS, type SettingPath } from './table.ts'

const FIELDS: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  providers: [
    [
      'type',
      'What it speaks like: the name of a known provider, `openai_compatible`, `ai_sdk`, `local` or `demo`. Unset: its own name, `ai_sdk` when it has a `package`, or `openai_compatible` when it has an `api_base`.',
    ],
    ['api_base', 'URL up to and including `/v1`. Known types have it.'],
    ['api_key', 'Secret. Unset for a known hosted provider: it is switched off, with a warning.'],
    ['headers', 'Further headers of every call; the values are secrets.'],
    ['timeout', 'Longest time of one call. Unset: `router.request_timeout`.'],
    [
      'wire_api',
      'The API it is spoken to in: `chat`, `responses`, `anthropic` or `gemini`. Unset: what its type is known to speak, else `chat`; `openai` speaks `responses` at its own address and `chat` when it is moved elsewhere.',
    ],
    [
      'api_version',
      'Sent with every call as `?api-version=`, for Azure endpoints older than `/openai/v1`. Unset: not sent.',
    ],
    [
      'hosted_tools',
      'Tools that the provider runs itself and requests may use: list of `web_search`, `file_search`, `code_interpreter`, `image_generation`, `mcp`. Needs `wire_api: responses`. Unset: none, such tools are refused.',
    ],
    [
      'package',
      'The npm package of the AI SDK that reaches it, as `@ai-sdk/cohere`: see [providers](providers.md#bedrock-cohere-and-others). It is installed beside Antiphon; a missing one switches the provider off, with a warning.',
    ],
    ['factory', 'The function of the package that makes the provider. Unset: the one that is named like the package.'],
    ['method', 'The function of the provider that makes a model, as `chat`. Unset: the choice of the package.'],
    ['region', "The package's `region`, for Bedrock."],
    ['options', "The package's own settings, as it spells them, for example `{ project: my-project }`."],
    [
      'price_list',
      "Whose public prices count, as `openai`, where its address does not say so, for example behind a proxy; `none`: nobody's.",
    ],
    [
      'dir',
      'Of `type: local`: the folder of its GGUF files. Unset: `models` in `storage.data_dir`, where `antiphon pull` puts them.',
    ],
    [
      'context_size',
      'Of `type: local`: tokens of the context window, at most what the model was made for. Unset: 8192.',
    ],
    ['threads', 'Of `type: local`: threads of inference. Unset: one less than there are cores, at least one.'],
    ['gpu', 'Of `type: local`: `auto`, `off`, `cuda`, `vulkan` or `metal`. Unset: `auto`.'],
    ['idle_unload', 'Of `type: local`: a model that nobody used for so long leaves the memory. Unset: 10m.'],
    ['max_loaded', 'Of `type: local`: models in memory at a time. Unset: 1.'],
    ['quirks', 'Deviations of the endpoint, for example `tool_choice: false` for one that does not heed it.'],
  ],
  'tools.mcp.servers': [
    ['url', 'Where the server is, over Streamable HTTP or SSE. It may be anywhere. This or `command`.'],
    ['authorization', 'Secret. Sent as a bearer token; with a space in it, as the whole header.'],
    ['headers', 'Further headers; the values are secrets.'],
    ['command', 'A program that is started for each response that uses the server, and spoken to over stdio.'],
    ['args', 'List of its arguments.'],
    ['env', 'Its environment, besides `PATH`, `HOME` and the like; the values are secrets.'],
  ],
  webhooks: [
    ['url', 'Where events are sent: https, or http to a host of `security.allow_private_hosts`. Required.'],
    ['secret', 'Secret. Signs the events: `whsec_` and base64, or any text of 16 characters or more. Required.'],
    [
      'events',
      'List of `response.completed`, `response.failed`, `response.cancelled`, `response.incomplete`. Unset: all.',
    ],
    ['project', 'Whose responses. Unset: `default`.'],
  ],
  models: [
    ['model_name', 'What clients send as `model`. Required.'],
    [
      'deployments',
      'List of `{ model: provider/name, weight, rpm, tpm, model_info }`; the weight is 1 unless given, `rpm` and `tpm` limit requests and tokens per minute, and `model_info` may hold prices of its own. Required.',
    ],
    ['fallbacks', 'Models to try, in order, when all deployments failed, or when the input is too long for them.'],
    ['content_policy_fallbacks', 'Models to try when a provider refuses for reasons of content. Unset: none.'],
    [
      'model_info',
      '`context_window`, `max_output_tokens` (tokens), `supports`: list of `images`, `files`, `tools`, `custom_tools`, `json_schema`, `reasoning`, `logprobs`; `fields`: how single fields of a request fare, as `{ stop: emulated, top_p: ignored }` (see [capabilities](capabilities.md)); prices in US dollars per million tokens: `input_cost_per_mtok`, `output_cost_per_mtok`, `cached_input_cost_per_mtok`, `cache_write_cost_per_mtok`.',
    ],
  ],
  projects: [
    [
      'zero_retention',
      'Nothing that clients or models say is written to the data directory: see `docs/retention.md`. Unset: false.',
    ],
    ['retention', 'How long its stored responses are kept. Unset: `retention.responses`.'],
  ],
  tools: [
    [
      'engine',
      'Of `engines`: `searxng`, `brave`, `tavily`, `exa`, `serper`, `duckduckgo`, or `provider`, which leaves the search to models whose provider runs it. Required.',
    ],
    ['url', 'Address of the engine. Needed for `searxng`.'],
    ['api_key', 'Secret. Needed by all but `searxng` and `duckduckgo`.'],
  ],
  keys: [
    ['key_alias', 'Name of the key in logs and lists. Required.'],
    ['key', 'Secret, at least 8 characters, 16 when the server listens beyond loopback. Required.'],
    ['project', 'Name of the project it belongs to. Unset: `default`.'],
    ['scopes', 'List of `responses`, `files`, `read`, `admin`. Unset: all but `admin`.'],
    ['expires', '`2027-06-30` or a time with its zone. Unset: never.'],
  ],
}

const INTRODUCTION = `# Configuration

This page is written from the table in \`src/config/table.ts\` by \`node scripts/run.js docs\`.

Every setting is optional. A value comes from the first of these that has it:

1. a flag: \`--host\`, \`--port\`, \`--data-dir\`, \`--config\`, \`--no-auth\`, \`--no-detect\`, \`--log-level\`
2. the environment: \`ANTIPHON_SECTION__KEY\`, or the short name given below
3. the file: \`--config\`, else \`ANTIPHON_CONFIG\`, else \`./antiphon.yaml\`, else \`antiphon.yaml\` in the data directory
4. the default

A fault in any of them stops the start; \`antiphon check\` finds all faults without starting.

- Durations have a unit: \`300ms\`, \`30s\`, \`5m\`, \`1h\`, \`30d\`. Sizes too: \`512B\`, \`16KB\`, \`32MB\`, \`1GB\` (1 KB is 1,024 bytes).
- \`\${VAR}\` is the variable, \`\${VAR:-default}\` has a default, \`\${VAR:?message}\` must be set, \`$\${\` is a literal \`\${\`.
  Inside \`{ }\` and \`[ ]\` YAML wants such a value in quotes.
- A secret may also be \`file:/path\`, of which spaces and line ends at both ends are cut off.
- Relative paths start at the folder of the file that says them; \`~\` is the home folder.
- In a variable, a list or a section is written as YAML: \`ANTIPHON_SERVER__CORS='[https://app.example.com]'\`.

Three more variables: \`ANTIPHON_CONFIG\` names the file, \`ANTIPHON_API_KEY\` is a key with all scopes that is used instead of
making one at the first start (or \`file:/path\` of it), and \`NO_COLOR\` switches colours off.
`

/** A whole file; a test reads it. */
export const EXAMPLE = `server: { host: 127.0.0.1, port: 8484, public_url: "\${PUBLIC_URL:-}", drain_timeout: 30s }
storage: { data_dir: ./data }

providers:
  openai: { api_key: "\${OPENAI_API_KEY}" }
  local: { type: ollama, api_base: "http://127.0.0.1:11434/v1" }
  gpu: { type: openai_compatible, api_base: "http://vllm:8000/v1", timeout: 600s }

models:
  - model_name: smart
    deployments:
      - { model: gpu/qwen3-coder, weight: 3, rpm: 500, tpm: 400000 }
      - { model: local/qwen3-coder:30b, weight: 1 }
    fallbacks: [local-coder]
  - model_name: local-coder
    deployments: [{ model: local/qwen3-coder:30b }]
    model_info: { context_window: 65536, max_output_tokens: 8192, supports: [tools, json_schema] }
aliases: { gpt-4o: smart }
router: { strategy: weighted, num_retries: 2, allowed_fails: 3, cooldown_time: 30s, request_timeout: 600s }

tools:
  web_search: { engine: searxng, url: "http://searxng:8080" }
  image_generation: { engine: openai, api_key: "\${OPENAI_API_KEY}", model: gpt-image-1 }
  mcp: { servers: { docs: { url: "https://mcp.example.com/mcp", authorization: "\${DOCS_TOKEN:-}" } } }
security: { allow_private_hosts: ["wiki.internal:80"] }

projects:
  clinic: { zero_retention: true }
keys:
  - { key_alias: ci, key: "\${CI_KEY:-replace-this-key}", scopes: [responses, read], expires: 2027-06-30 }
defaults: { store: true, truncation: disabled, unsupported_params: auto }
retention: { responses: 30d }
observability:
  log: { level: info, format: auto }
  metrics: { auth: true }
limits: { json_body: 32MB, bad_keys_per_minute: 20 }
`

export function configurationDoc(providers: ProviderCatalog): string {
  const sections = [...new Set(SETTING_PATHS.map((path) => path.split('.', 1)[0] ?? path))]
  const example = `## Example\n\n\`\`\`yaml\n${EXAMPLE}\`\`\`\n`
  return `${[INTRODUCTION, example, ...sections.map(section)].join('\n')}\n${knownProviders(providers)}`
}

function section(name: string): string {
  const paths = SETTING_PATHS.filter((path) => path === name || path.startsWith(`${name}.`))
  const fields = paths.find((path) => path in FIELDS) ?? name
  const described = FIELDS[fields]?.map(([field, doc]) => `| \`${field}\` | ${doc} |`).join('\n')
  const details = described === undefined ? '' : `\n| field of each | |\n|---|---|\n${described}\n`
  const rows = paths.map(row).join('\n')
  return `## ${name}\n\n| key | value | default | environment | |\n|---|---|---|---|---|\n${rows}\n${details}`
}

function row(path: SettingPath): string {
  const { fallback, doc, shortEnv } = SETTINGS[path]
  const kind: Kind<unknown> = SETTINGS[path].kind
  const env = [envNameOf(path), shortEnv].filter((name) => name !== null).map((name) => `\`${name}\``)
  const shown = fallback === null ? '' : `\`${kind.show(fallback)}\``
  const says = path in FIELDS || path === 'aliases' ? 'see below' : kind.says
  return `| \`${path}\` | ${path === 'aliases' ? 'names and what they stand for' : says} | ${shown} | ${env.join(', ')} | ${doc} |`
}

function knownProviders({ known }: ProviderCatalog): string {
  const rows = known.map(({ name, baseUrl, envKeys, envBaseUrls, local, ownAddress, packageName }) => {
    const keys = [...envKeys, ...envBaseUrls].map((variable) => `\`${variable}\``).join(', ')
    const needs = ownAddress ? 'needs its key and its address' : 'needs its key'
    if (packageName !== undefined) return `| \`${name}\` | | ${keys} | needs the package \`${packageName}\` |`
    return `| \`${name}\` | \`${baseUrl}\` | ${keys} | ${local ? 'looked for at start' : needs} |`
  })
  return `## Known providers\n\n| name | api_base | variables | |\n|---|---|---|---|\n${rows.join('\n')}\n`
}
