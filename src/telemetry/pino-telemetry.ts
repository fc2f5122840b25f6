/**
 * The log: JSON lines, or readable ones for a terminal. One line per request at `info`, with what is known of its
 * response; every field is named here (an allow-list), so that no prompt, key, URL or body can slip in.
 */
import pino from 'pino'
import { errorFields } from './error-fields.ts'
import { createPendingResponses } from './pending-responses.ts'
import { prettyLine } from './pretty-line.ts'
import { createRedactor } from './redact.ts'
import type { Telemetry } from './telemetry.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

export type LogOptions = {
  readonly level: LogLevel
  readonly format: 'json' | 'pretty'
  readonly colour: boolean
  /** Secrets of the configuration, which no line may hold. */
  readonly secrets: readonly string[]
  /** Where lines go, for tests; else stderr. */
  readonly write?: (line: string) => void
}

export type LogFields = Readonly<Record<string, string | number | boolean | null>>

export interface Log extends Telemetry {
  /** A line that belongs to no request. */
  write(level: Exclude<LogLevel, 'silent'>, message: string, fields?: LogFields): void
  /** Writes out what is still in memory. Call before the process ends. */
  flush(): void
}

type ResponseEvent = Parameters<Telemetry['responseFinished']>[0]

/** Lines wait in memory until there is this much, or this long: a write per line shows at thousands of requests. */
const BUFFER_BYTES = 16_000
const FLUSH_MS = 200
const STDERR = 2

export function createLog(options: LogOptions): Log {
  const redact = createRedactor(options.secrets)
  const out = openOutput(options)
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    out,
  )
  const responses = createPendingResponses((event) => logger.info(responseFields(event), 'response'))
  const text = (value: string | null) => (value === null ? null : redact(value))
  return {
    write(level, message, fields = {}) {
      const clean = Object.entries(fields).map(([name, it]) => [name, typeof it === 'string' ? redact(it) : it])
      logger[level](Object.fromEntries(clean), redact(message))
    },
    flush() {
      responses.flush()
      out.flush()
    },
    requestFinished(event) {
      const response = responses.take(event.requestId)
      if (!logger.isLevelEnabled('info')) return
      logger.info(
        {
          request_id: event.requestId,
          method: event.method,
          route: event.route,
          status: event.status,
          duration_ms: round(event.durationMs),
          project: event.projectId,
          key: event.keyId,
          error_code: event.errorCode,
          client_request_id: text(event.clientRequestId),
          session_id: text(event.sessionId),
          ...(event.warnings !== undefined && { warnings: event.warnings }),
          ...(response === null ? {} : responseFields(response)),
        },
        'request',
      )
    },
    responseFinished: (event) => responses.put(event.requestId, event),
    modelAttempted({ requestId, attempt }) {
      const fields = {
        request_id: requestId,
        provider: attempt.provider,
        model: attempt.model,
        outcome: attempt.outcome,
        upstream_status: attempt.status,
        duration_ms: round(attempt.durationMs),
        first_event_ms: roundOrNull(attempt.firstEventMs),
        upstream_request_id: text(attempt.upstreamRequestId),
      }
      logger[attempt.outcome === 'failed' ? 'warn' : 'debug'](fields, `model call ${attempt.outcome}`)
    },
    toolCalled: ({ tool, status }) => logger.debug({ tool, status }, 'tool call'),
    rateLimited: ({ reason }) => logger.debug({ reason }, 'rate limited'),
    unsupportedParam: ({ param, model }) => logger.debug({ param, model }, 'unsupported parameter'),
    streamOpened() {},
    streamClosed() {},
    failed({ requestId, where, error }) {
      logger.error({ request_id: requestId, where, error: errorFields(error, redact) }, `failure in ${where}`)
    },
  }
}

function responseFields(event: ResponseEvent) {
  return {
    response_id: event.responseId,
    model: event.model,
    provider: event.provider,
    response_status: event.status,
    stream: event.stream,
    response_ms: round(event.durationMs),
    overhead_ms: round(event.overheadMs),
    first_token_ms: roundOrNull(event.firstTokenMs),
    input_tokens: event.usage?.input_tokens ?? null,
    output_tokens: event.usage?.output_tokens ?? null,
  }
}

/** Hundredths of a millisecond are what can be told apart. */
const round = (ms: number) => Math.round(ms * 100) / 100
const roundOrNull = (ms: number | null) => (ms === null ? null : round(ms))

type Output = { write(line: string): void; flush(): void }

function openOutput({ write, format, colour }: LogOptions): Output {
  if (write !== undefined) return shape(format, colour, { write, flush() {} })
  if (format === 'pretty') return shape(format, colour, { write: (line) => process.stderr.write(line), flush() {} })
  const stream = pino.destination({ dest: STDERR, sync: false, minLength: BUFFER_BYTES, periodicFlush: FLUSH_MS })
  // Nobody reads the log any more, for example a closed pipe: that must not end the server.
  stream.on('error', () => {})
  return {
    write: (line) => stream.write(line),
    flush() {
      try {
        stream.flushSync()
      } catch {
        // The same as above.
      }
    },
  }
}

const shape = (format: LogOptions['format'], colour: boolean, out: Output): Output =>
  format === 'json' ? out : { ...out, write: (line) => out.write(prettyLine(line, colour)) }
