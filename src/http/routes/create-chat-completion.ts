/** `POST /v1/chat/completions`: the same run as `POST /v1/responses`, asked for and shown in other words. */
import { type Run, RunAbort } from '../../engine/engine.ts'
import { toChatError, toChatWarning } from '../../protocol/chat/names.ts'
import type { ValidatedChat } from '../../protocol/chat/validate-chat.ts'
import { ApiError, internalError } from '../../protocol/errors.ts'
import { createChatFramer } from '../chat-frames.ts'
import { createPadding, paddingPool } from '../event-json.ts'
import { type Answer, type AuthorizedCall, json } from '../exchange.ts'
import { readIdempotencyKey } from '../idempotency-key.ts'
import type { ProtectedRoute } from '../route-table.ts'
import { runHeaders } from '../run-headers.ts'
import { toChatCompletion } from '../to-chat-completion.ts'
import { toChatSse } from '../to-chat-sse.ts'
import type { RoutePorts } from './route-ports.ts'

type Ports = Pick<RoutePorts, 'engine' | 'validate' | 'telemetry' | 'clock' | 'ids' | 'limits' | 'replier'>
type Shown = { readonly run: Run; readonly chat: ValidatedChat; readonly warnings: readonly string[] }

export function createChatCompletion(ports: Ports): ProtectedRoute {
  const padding = createPadding(ports.ids, paddingPool(ports.ids))
  return {
    method: 'POST',
    pattern: '/v1/chat/completions',
    access: 'responses',
    body: 'json',
    async handle(call) {
      const chat = ports.validate.chatCompletion(call.body)
      try {
        const idempotency = readIdempotencyKey(call.request, call.body)
        const run = await ports.engine.createResponse(chat.request, { ...call.caller, idempotency })
        const warnings = [...chat.warnings, ...run.warnings.map((warning) => toChatWarning(warning, chat.rename))]
        const shown = { run, chat, warnings }
        if (chat.request.stream !== true) return await answerJson(ports, call, shown)
        const isPadded = chat.request.stream_options?.include_obfuscation !== false
        const frames = createChatFramer({ includeUsage: chat.includeUsage, pad: isPadded ? padding : null })
        return await stream(ports, call, { ...shown, frames })
      } catch (error) {
        throw toChatError(error, chat.rename)
      }
    },
  }
}

async function answerJson({ limits }: Ports, { exchange }: AuthorizedCall, shown: Shown): Promise<Answer> {
  const { run, warnings } = shown
  try {
    return json(await toChatCompletion(run.events))
  } finally {
    Object.assign(exchange.headers, runHeaders(run, warnings, limits.warningBytes))
  }
}

type Streamed = Shown & { readonly frames: ReturnType<typeof createChatFramer> }

async function stream(ports: Ports, call: AuthorizedCall, shown: Streamed): Promise<Answer> {
  const { clock, limits, replier, telemetry } = ports
  const { exchange, response, abort } = call
  const { run, chat, warnings, frames } = shown
  const ofRun = () => runHeaders(run, warnings, limits.warningBytes)
  telemetry.streamOpened()
  try {
    const unsaid = await toChatSse(run.events, {
      response,
      headers: () => ({ ...replier.headers(call), ...ofRun() }),
      frames,
      toError: (error) => asApiError(toChatError(error, chat.rename)),
      clock,
      limits,
      abort: () => abort.abort(new RunAbort('reader-gone')),
      onFailure: (error) => telemetry.failed({ requestId: exchange.requestId, where: 'to-chat-sse', error }),
    })
    if (unsaid === null) return { type: 'written' }
    Object.assign(exchange.headers, ofRun())
    throw unsaid
  } finally {
    telemetry.streamClosed()
  }
}

const asApiError = (error: unknown): ApiError => (error instanceof ApiError ? error : internalError(error))
