import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_USAGE, plainUsage } from '../protocol/usage.ts'
import { combineTelemetry } from './combine-telemetry.ts'
import { createMetrics, type MetricsOptions } from './metrics.ts'
import { silentTelemetry } from './telemetry.ts'

const ATTEMPT = {
  provider: 'openai',
  model: 'gpt',
  outcome: 'completed',
  usage: null,
  status: 200,
  durationMs: 5,
  firstEventMs: 1,
  upstreamRequestId: null,
} as const
const RESPONSE = {
  requestId: 'req_1',
  responseId: 'resp_1',
  model: 'gpt',
  provider: 'openai',
  status: 'completed',
  stream: true,
  durationMs: 11,
  overheadMs: 2,
  firstTokenMs: 30,
  usage: {
    input_tokens: 10,
    input_tokens_details: { cached_tokens: 4, cache_write_tokens: 0 },
    output_tokens: 5,
    output_tokens_details: { reasoning_tokens: 2 },
    total_tokens: 15,
  },
  costUsd: null,
} as const

const create = (options: Partial<MetricsOptions> = {}) => createMetrics({ version: '1.2.3', ...options })

test('requests, responses, tokens and streams are counted under their documented names', async () => {
  const metrics = create()
  metrics.requestFinished({
    requestId: 'req_1',
    method: 'POST',
    route: '/v1/responses',
    status: 200,
    durationMs: 20,
    projectId: null,
    keyId: null,
    errorCode: null,
    clientRequestId: null,
    sessionId: null,
  })
  metrics.responseFinished(RESPONSE)
  metrics.callPriced({ provider: 'openai', model: 'gpt', costUsd: 0.25, usage: plainUsage(1, 1) })
  metrics.callPriced({ provider: 'openai', model: 'gpt', costUsd: null, usage: plainUsage(1, 1) })
  metrics.callPriced({ provider: 'openai', model: 'gpt', costUsd: null, usage: NO_USAGE })
  metrics.toolCalled({ tool: 'mcp', status: 'completed' })
  metrics.rateLimited({ reason: 'requests' })
  metrics.unsupportedParam({ requestId: 'req_1', param: 'seed', provider: 'openai' })
  metrics.fellBack({
    requestId: 'req_1',
    from: { provider: 'openai', model: 'gpt' },
    to: { provider: 'local', model: 'qwen' },
    reason: 'rate_limit',
  })
  metrics.streamOpened()
  metrics.streamOpened()
  metrics.streamClosed()
  const text = await metrics.render()
  for (const line of [
    'antiphon_http_requests_total{route="/v1/responses",method="POST",status="200"} 1',
    'antiphon_request_duration_seconds_bucket{le="0.025",route="/v1/responses"} 1',
    'antiphon_responses_total{model="gpt",provider="openai",status="completed",stream="true",background="false"} 1',
    'antiphon_overhead_seconds_sum 0.002',
    'antiphon_time_to_first_token_seconds_sum{model="gpt"} 0.03',
    'antiphon_tokens_total{type="input"} 10',
    'antiphon_tokens_total{type="cached"} 4',
    'antiphon_tokens_total{type="output"} 5',
    'antiphon_tokens_total{type="reasoning"} 2',
    'antiphon_cost_usd_total{provider="openai",model="gpt"} 0.25',
    'antiphon_unpriced_calls_total{provider="openai",model="gpt"} 1',
    'antiphon_tool_calls_total{tool="mcp",status="completed"} 1',
    'antiphon_rate_limited_total{reason="requests"} 1',
    'antiphon_unsupported_params_total{param="seed",provider="openai"} 1',
    'antiphon_fallbacks_total{provider="openai",reason="rate_limit"} 1',
    'antiphon_streams_in_flight 1',
    `antiphon_build_info{version="1.2.3",node="${process.version}"} 1`,
  ]) {
    assert.ok(text.includes(`${line}\n`), `${line}\nis not in\n${text}`)
  }
  assert.match(text, /^process_cpu_seconds_total /m)
  assert.match(metrics.contentType, /^text\/plain/)
})

test('a call after a failed one of the same request at the same deployment is a retry', async () => {
  const metrics = create()
  const attempt = (requestId: string, outcome: 'completed' | 'failed') =>
    metrics.modelAttempted({ requestId, attempt: { ...ATTEMPT, outcome } })
  attempt('a', 'failed')
  attempt('a', 'failed')
  attempt('a', 'completed')
  attempt('a', 'completed')
  attempt('b', 'completed')
  attempt('c', 'failed')
  metrics.modelAttempted({ requestId: 'c', attempt: { ...ATTEMPT, provider: 'local', outcome: 'completed' } })
  assert.match(await metrics.render(), /antiphon_retries_total\{provider="openai"\} 2\n/)
})

test('a provider is down when it is silent or fails by itself, and up when it answers', async () => {
  const metrics = create()
  const failed = (provider: string, status: number | null) =>
    metrics.modelAttempted({ requestId: provider, attempt: { ...ATTEMPT, provider, outcome: 'failed', status } })
  failed('silent', null)
  failed('broken', 503)
  failed('picky', 400)
  metrics.providerUp('probed', false)
  const text = await metrics.render()
  for (const line of ['silent"} 0', 'broken"} 0', 'picky"} 1', 'probed"} 0']) {
    assert.ok(text.includes(`antiphon_provider_up{provider="${line}\n`), line)
  }
})

test('models that are not known, and all after the first 200, are counted as other', async () => {
  const metrics = create({ isKnownModel: (model) => model !== 'invented' })
  const finish = (model: string) => metrics.responseFinished({ ...RESPONSE, model })
  finish('invented')
  for (let i = 0; i < 300; i += 1) finish(`model-${i}`)
  const lines = (await metrics.render()).split('\n').filter((line) => line.startsWith('antiphon_responses_total{'))
  assert.equal(lines.length, 201)
  assert.ok(lines.some((line) => line.includes('model="other"') && line.endsWith(' 101')))
})

test('several parts are told of each event', async () => {
  const [one, two] = [create(), create()]
  const telemetry = combineTelemetry(one, silentTelemetry, two)
  telemetry.streamOpened()
  for (const metrics of [one, two]) assert.match(await metrics.render(), /antiphon_streams_in_flight 1\n/)
})
