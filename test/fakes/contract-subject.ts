/** An adapter with a scripted provider behind it, as the contract suites of models want it. */
import { systemClock } from '../../src/lib/clock.ts'
import { createCountingIds } from '../../src/lib/ids.ts'
import { DEFAULT_UPSTREAM_CLOCKS } from '../../src/lib/upstream-http.ts'
import type { ContractSubject } from '../../src/models/model.contract.ts'
import type { AdapterModel, AdapterOptions } from '../../src/models/upstream/adapter-options.ts'
import { TEST_CAPABILITIES } from './chat-fixtures.ts'
import type { ChatUpstream, ScriptedReply } from './chat-upstream.ts'

export type SubjectSetup = {
  /** `script` says how each request is answered. */
  start(script: () => ScriptedReply): Promise<ChatUpstream>
  create(options: AdapterOptions): AdapterModel
  readonly provider?: string
}

export const SUBJECT_KEY = 'secret-key'

export async function openContractSubject({
  start,
  create,
  provider = 'test',
}: SubjectSetup): Promise<ContractSubject> {
  let delivery: ScriptedReply = {}
  const upstream = await start(() => delivery)
  const model = create({
    provider,
    baseUrl: upstream.url,
    apiKey: SUBJECT_KEY,
    capabilities: TEST_CAPABILITIES,
    clocks: DEFAULT_UPSTREAM_CLOCKS,
    clock: systemClock,
    ids: createCountingIds(),
  })
  return {
    model,
    deliver(next) {
      const { status, ...rest } = next
      delivery = status === undefined ? rest : { status }
    },
    calls: () => upstream.requests.length,
    openCalls: () => upstream.requests.filter(({ replied, closedEarly }) => !replied && !closedEarly).length,
    async close() {
      await model.close()
      await upstream.close()
    },
  }
}
