/**
 * The log: JSON lines, or readable ones for a terminal. One line per request at `info`, with what is known of its
 * response; every field is named here (an allow-list), so that no prompt, key, URL or body can slip in.
 */
import { errorFields } from './error-fields.ts'
import { createLineWriter, type LineWriter } from './line-writer.ts'
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

const STDERR = 2
const RANKS: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 }

export function createLog(options: LogOptions): Log {
  const redact = createRedactor(options.secrets)
  const out = openOutput(options)
  const isEnabled = (level: LogLevel) => RANKS[level] >= RANKS[options.level]
  const put = (level: LogLevel, msg: string, fields: object) => {
    if (isEnabled(level)) out.write(toLine(level, msg, fields))
  }
  const responses = createPendingResponses((event) => put('info', 'response', responseFields(event)))
  const text = (value: string | null) => (value === null ? null : redact(value))
  return {
    write(level, message, fields = {}) {
      const clean = Object.entries(fields).map(([name, it]) => [name, typeof it === 'string' ? redact(it) : it])
      put(level, redact(message), Object.fromEntries(clean))
    },
    flush() {
      responses.flush()
      out.flush()
    },
    requestFinished(event) {
      const response = responses.take(event.requestId)
      if (!isEnabled('info')) return
      put('info', 'request', {
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
      })
    },
    responseFinished: (event) => responses.put(event.requestId, event),
    modelAttempted({ requestId, attempt }) {
      put(attempt.outcome === 'failed' ? 'warn' : 'debug', `model call ${attempt.outcome}`, {
        request_id: requestId,
        provider: attempt.provider,
        model: attempt.model,
        outcome: attempt.outcome,
        upstream_status: attempt.status,
        duration_ms: round(attempt.durationMs),
        first_event_ms: roundOrNull(attempt.firstEventMs),
        upstream_request_id: text(attempt.upstreamRequestId),
      })
    },
    callPriced() {},
    toolCalled: ({ tool, status }) => put('debug', 'tool call', { tool, status }),
    rateLimited: ({ reason }) => put('debug', 'rate limited', { reason }),
    unsupportedParam: ({ requestId, param, provider }) =>
      put('info', 'unsupported parameter', { request_id: requestId, param, provider }),
    fellBack({ requestId, from, to, reason }) {
      const fields = { request_id: requestId, from: nameOf(from), to: nameOf(to), reason }
      put('warn', 'fallback to another deployment', fields)
    },
    streamOpened() {},
    streamClosed() {},
    failed({ requestId, where, error }) {
      put('error', `failure in ${where}`, { request_id: requestId, where, error: errorFields(error, redact) })
    },
  }
}

const nameOf = ({ provider, model }: { readonly provider: string; readonly model: string }) => `${provider}/${model}`

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
    cost_usd: event.costUsd,
  }
}

/** Hundredths of a millisecond are what can be told apart. */
const round = (ms: number) => Math.round(ms * 100) / 100
const roundOrNull = (ms: number | null) => (ms === null ? null : round(ms))

function openOutput({ write, format, colour }: LogOptions): LineWriter {
  if (write !== undefined) return shape(format, colour, { write, flush() {} })
  if (format === 'pretty') return shape(format, colour, { write: (line) => process.stderr.write(line), flush() {} })
  const lostLine = (count: number) => toLine('warn', 'log lines lost', { count })
  return createLineWriter({ fd: STDERR, lostLine })
}

const shape = (format: LogOptions['format'], colour: boolean, out: LineWriter): LineWriter =>
  format === 'json' ? out : { ...out, write: (line) => out.write(prettyLine(line, colour)) }

const toLine = (level: LogLevel, msg: string, fields: object) =>
  `${JSON.stringify({ level, time: new Date().toISOString(), ...fields, msg })}\n`
