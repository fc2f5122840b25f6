/** The log of this process: on stderr, and without a secret of the configuration in any line. */
import type { ResolvedConfig } from '../config/resolved-config.ts'
import { createLog } from '../telemetry/log.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { secretsOf } from './open-mcp.ts'
import { passwordOf } from './open-store.ts'

export function openLog(config: ResolvedConfig, opened: AsyncDisposableStack): Telemetry {
  const { level, format } = config.observability.log
  const isTerminal = process.stderr.isTTY === true
  const log = createLog({
    level,
    format: format === 'auto' ? (isTerminal ? 'pretty' : 'json') : format,
    colour: isTerminal && !process.env.NO_COLOR,
    secrets: allSecrets(config),
  })
  opened.defer(() => log.flush())
  return log
}

const allSecrets = ({
  providers,
  keys,
  webSearch,
  codeInterpreter,
  imageGeneration,
  fileSearch,
  mcp,
  webhooks,
  sharedCache,
  storage,
  fileStorage,
}: ResolvedConfig) => [
  ...providers.flatMap(({ apiKey, headers }) => [apiKey ?? '', ...Object.values(headers)]),
  ...keys.map(({ key }) => key),
  ...webSearch.engines.flatMap(({ apiKey }) => apiKey ?? []),
  codeInterpreter.token ?? '',
  ...(imageGeneration && 'apiKey' in imageGeneration ? [imageGeneration.apiKey ?? ''] : []),
  fileSearch.reranker?.apiKey ?? '',
  ...[...mcp.servers.values()].flatMap(secretsOf),
  ...webhooks.map(({ secret }) => secret),
  sharedCache ?? '',
  passwordOf(storage),
  ...(fileStorage.type === 's3' ? Object.values(fileStorage.credentials).map((secret) => secret ?? '') : []),
]
