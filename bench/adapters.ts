/**
 * What each provider API costs beside Chat Completions: `npm run bench -- --adapters`. The same words as 256 events from
 * a fast fake of each API, read by each adapter in this process. CPU time of this process, and the time of one call alone;
 * rounds interleaved, medians of the rounds' own ratios.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../src/lib/clock.ts'
import { createRandomIds } from '../src/lib/ids.ts'
import { DEFAULT_UPSTREAM_CLOCKS } from '../src/lib/upstream-http.ts'
import { createAnthropicModel } from '../src/models/anthropic/anthropic-model.ts'
import { createChatCompletionsModel } from '../src/models/chat-completions/chat-completions-model.ts'
import { createGeminiModel } from '../src/models/gemini/gemini-model.ts'
import type { Model } from '../src/models/model.ts'
import { createResponsesModel } from '../src/models/responses/responses-model.ts'
import { TEST_CAPABILITIES, TEST_TURN } from '../test/fakes/chat-fixtures.ts'
import { quantile } from './load.ts'
import { STREAM_TEXT, STREAM_TOKENS } from './replies.ts'

const CALLS = 400
const ALONE = 100
const AT_ONCE = 16
const WARM_UP_ROUNDS = 2

type Cost = { readonly cpuMicros: number; readonly aloneMicros: number }
type Subject = { readonly name: string; readonly model: Model; readonly costs: Cost[] }

function openSubjects(origin: string): readonly Subject[] {
  const options = (api: string) => ({
    provider: api,
    baseUrl: `${origin}/${api}/v1`,
    apiKey: 'none',
    capabilities: TEST_CAPABILITIES,
    clocks: DEFAULT_UPSTREAM_CLOCKS,
    clock: systemClock,
    ids: createRandomIds(),
  })
  const subject = (name: string, model: Model): Subject => ({ name, model, costs: [] })
  return [
    subject('chat completions', createChatCompletionsModel({ ...options('chat'), quirks: {} })),
    subject('responses', createResponsesModel({ ...options('responses'), quirks: {} })),
    subject('anthropic', createAnthropicModel({ ...options('anthropic'), model: 'claude-sonnet-5' })),
    subject('gemini', createGeminiModel(options('gemini'))),
  ]
}

/** One call to its end; every word of it is checked. */
async function read(model: Model): Promise<void> {
  let text = ''
  for await (const batch of model.stream(TEST_TURN, { signal: new AbortController().signal })) {
    for (const event of batch) if (event.type === 'text-delta') text += event.delta
  }
  if (text !== STREAM_TEXT) throw new Error(`a reply was not whole: ${text.length} characters`)
}

async function measure(model: Model): Promise<Cost> {
  const before = process.cpuUsage()
  let left = CALLS
  const work = async () => {
    while (left-- > 0) await read(model)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  const { user, system } = process.cpuUsage(before)
  const alone: number[] = []
  for (let call = 0; call < ALONE; call += 1) {
    const began = performance.now()
    await read(model)
    alone.push((performance.now() - began) * 1000)
  }
  return {
    cpuMicros: (user + system) / (CALLS * STREAM_TOKENS.length),
    aloneMicros: quantile(alone.sort(byValue), 0.5),
  }
}

const byValue = (a: number, b: number) => a - b
const median = (values: readonly number[]) => quantile([...values].sort(byValue), 0.5)

function toLine({ name, costs }: Subject, floor: Subject): string {
  const ratios = (of: keyof Cost) => median(costs.map((cost, round) => cost[of] / (floor.costs[round]?.[of] ?? 1)))
  const cells = [
    name,
    median(costs.map(({ cpuMicros }) => cpuMicros)).toFixed(2),
    ratios('cpuMicros').toFixed(2),
    Math.round(1_000_000 / median(costs.map(({ cpuMicros }) => cpuMicros))).toLocaleString('en-US'),
    Math.round(median(costs.map(({ aloneMicros }) => aloneMicros))).toLocaleString('en-US'),
    ratios('aloneMicros').toFixed(2),
  ]
  return `| ${cells.join(' | ')} |`
}

async function main(): Promise<void> {
  const rounds = Number(process.argv.find((arg) => arg.startsWith('--rounds='))?.slice(9) ?? 9)
  const path = fileURLToPath(new URL('./wire-upstream.ts', import.meta.url))
  const upstream = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const [line]: unknown[] = await once(createInterface({ input: upstream.stdout }), 'line')
    const subjects = openSubjects(`http://127.0.0.1:${String(line).replace('READY ', '')}`)
    for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
      for (const { model, costs } of round % 2 === 0 ? subjects : subjects.toReversed()) {
        const cost = await measure(model)
        if (round >= 0) costs.push(cost)
      }
    }
    const [floor] = subjects
    if (floor === undefined) return
    console.log('| adapter | CPU, us/event | ratio | events/s of one core | one call alone, us | ratio |')
    console.log('| --- | --- | --- | --- | --- | --- |')
    for (const subject of subjects) console.log(toLine(subject, floor))
  } finally {
    upstream.kill()
    process.exitCode ??= 0
  }
}

await main()
process.exit()
