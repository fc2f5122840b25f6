/**
 * Prometheus metrics. No label names a key, a user or a session, and every label has a bounded number of values:
 * whatever comes after them is counted as `other`.
 */
import { createBoundedLabel } from './bounded-label.ts'
import { createInstruments, type Instruments } from './instruments.ts'
import type { Telemetry } from './telemetry.ts'

const REQUEST_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600]
const OVERHEAD_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1]
const FIRST_TOKEN_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]
const NO_LABELS: readonly string[] = []
/** Requests whose last attempt is remembered, to tell a retry from a first call. */
const MAX_REMEMBERED = 10_000

export type MetricsOptions = {
  readonly version: string
  /** Models that may appear as a label of their own; others are `other`. */
  readonly isKnownModel?: (model: string) => boolean
}

export interface Metrics extends Telemetry {
  readonly contentType: string
  /** The text Prometheus reads. */
  render(): Promise<string>
  /** What a probe found. */
  providerUp(provider: string, up: boolean): void
}

/** Version 0.0.4 of the text format. */
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export function createMetrics(options: MetricsOptions): Metrics {
  const instruments = createInstruments()
  const ours = createOurs(instruments)
  ours.buildInfo.set([options.version, process.version], 1)
  let ofProcess: Promise<() => Promise<string>> | null = null
  return {
    ...createRecorder(ours, options.isKnownModel ?? (() => true)),
    contentType: CONTENT_TYPE,
    async render() {
      ofProcess ??= loadProcessMetrics()
      const renderProcess = await ofProcess
      return `${await renderProcess()}\n${instruments.render()}`
    },
  }
}

/**
 * CPU, memory, garbage collection, event loop. Loaded when somebody first reads the metrics: they cost memory, a
 * thirtieth of a second of a start, and a timer for the loop's delay. Those that sum up begin with the process all the
 * same, except for garbage collections and delays of the loop, which are counted from then on.
 */
async function loadProcessMetrics(): Promise<() => Promise<string>> {
  const { collectDefaultMetrics, Registry } = await import('prom-client')
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return () => registry.metrics()
}

type Ours = ReturnType<typeof createOurs>

function createOurs({ counter, gauge, histogram }: Instruments) {
  return {
    requests: counter('antiphon_http_requests_total', 'HTTP requests.', 'route', 'method', 'status'),
    requestSeconds: histogram(
      'antiphon_request_duration_seconds',
      'From the first byte of a request to the last byte of its answer.',
      REQUEST_SECONDS,
      'route',
    ),
    responses: counter(
      'antiphon_responses_total',
      'Responses by their last status.',
      'model',
      'provider',
      'status',
      'stream',
      'background',
    ),
    overheadSeconds: histogram(
      'antiphon_overhead_seconds',
      'Time of a response not spent waiting for the upstream.',
      OVERHEAD_SECONDS,
    ),
    firstTokenSeconds: histogram(
      'antiphon_time_to_first_token_seconds',
      'From the start of a response to its first token.',
      FIRST_TOKEN_SECONDS,
      'model',
    ),
    tokens: counter('antiphon_tokens_total', 'Tokens; cached ones are also input, reasoning ones also output.', 'type'),
    costUsd: counter('antiphon_cost_usd_total', 'US dollars of calls whose price is known.', 'provider', 'model'),
    unpricedCalls: counter('antiphon_unpriced_calls_total', 'Calls whose price is unknown.', 'provider', 'model'),
    toolCalls: counter('antiphon_tool_calls_total', 'Tool calls.', 'tool', 'status'),
    streams: gauge('antiphon_streams_in_flight', 'Open streams.'),
    retries: counter(
      'antiphon_retries_total',
      'Model calls repeated after a failed one, at the same deployment.',
      'provider',
    ),
    fallbacks: counter('antiphon_fallbacks_total', 'Turns that went on to another deployment.', 'provider', 'reason'),
    providerUp: gauge('antiphon_provider_up', '1 when the last call of a provider was answered.', 'provider'),
    rateLimited: counter('antiphon_rate_limited_total', 'Requests refused by a limit.', 'reason'),
    unsupported: counter(
      'antiphon_unsupported_params_total',
      'Parameters that a provider does not take.',
      'param',
      'provider',
    ),
    buildInfo: gauge('antiphon_build_info', 'Always 1.', 'version', 'node'),
  }
}

function createRecorder(it: Ours, isKnownModel: (model: string) => boolean) {
  const modelLabel = createBoundedLabel(isKnownModel)
  const [providerLabel, toolLabel, paramLabel] = [createBoundedLabel(), createBoundedLabel(), createBoundedLabel()]
  const [routeLabel, upstreamModelLabel] = [createBoundedLabel(), createBoundedLabel()]
  const isRetry = createRetryDetector()
  const providerUp = (provider: string, up: boolean) => it.providerUp.set([providerLabel(provider)], up ? 1 : 0)
  return {
    providerUp,
    requestFinished({ route, method, status, durationMs }) {
      const label = routeLabel(route)
      it.requests.inc([label, method, String(status)])
      it.requestSeconds.observe([label], durationMs / 1_000)
    },
    responseFinished({ model, provider, status, stream, background, overheadMs, firstTokenMs, usage }) {
      const label = modelLabel(model)
      it.responses.inc([label, providerLabel(provider), status, String(stream), String(background ?? false)])
      it.overheadSeconds.observe(NO_LABELS, overheadMs / 1_000)
      if (firstTokenMs !== null) it.firstTokenSeconds.observe([label], firstTokenMs / 1_000)
      if (usage === null) return
      it.tokens.inc(['input'], usage.input_tokens)
      it.tokens.inc(['cached'], usage.input_tokens_details.cached_tokens)
      it.tokens.inc(['output'], usage.output_tokens)
      it.tokens.inc(['reasoning'], usage.output_tokens_details.reasoning_tokens)
    },
    modelAttempted({ requestId, attempt: { provider, model, outcome, status } }) {
      if (isRetry(requestId, `${provider}/${model}`, outcome === 'failed')) it.retries.inc([providerLabel(provider)])
      // A refusal is an answer; only silence and its own failures say that a provider is down.
      if (outcome === 'completed') providerUp(provider, true)
      else if (outcome === 'failed') providerUp(provider, status !== null && status < 500)
    },
    callPriced({ provider, model, costUsd, usage }) {
      const labels = [providerLabel(provider), upstreamModelLabel(model)]
      if (costUsd !== null) it.costUsd.inc(labels, costUsd)
      else if (usage.total_tokens > 0) it.unpricedCalls.inc(labels)
    },
    toolCalled: ({ tool, status }) => it.toolCalls.inc([toolLabel(tool), status]),
    rateLimited: ({ reason }) => it.rateLimited.inc([reason]),
    unsupportedParam: ({ param, provider }) => it.unsupported.inc([paramLabel(param), providerLabel(provider)]),
    fellBack: ({ from, reason }) => it.fallbacks.inc([providerLabel(from.provider), reason]),
    streamOpened: () => it.streams.add(NO_LABELS, 1),
    streamClosed: () => it.streams.add(NO_LABELS, -1),
    failed() {},
  } satisfies Telemetry & Pick<Metrics, 'providerUp'>
}

/** An attempt is a retry when the attempt before it, of the same request, failed at the same deployment. */
function createRetryDetector(): (requestId: string, deployment: string, failed: boolean) => boolean {
  const failing = new Map<string, string>()
  return (requestId, deployment, failed) => {
    const retry = failing.get(requestId) === deployment
    failing.delete(requestId)
    if (failed) failing.set(requestId, deployment)
    const oldest = failing.keys().next()
    if (failing.size > MAX_REMEMBERED && !oldest.done) failing.delete(oldest.value)
    return retry
  }
}
