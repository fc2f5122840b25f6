/**
 * The laws of the `Store` port as a suite. Every adapter runs it twice: as it is, and behind `slowStore`.
 *
 * What the port leaves open is settled here:
 * - the ledger takes the usage of every call, also when the response had ended or was deleted before;
 * - an expired response is unknown by its id, and so are its items; a chain may still stand on it;
 * - a response that is deleted while it runs stays deleted.
 */
import { test } from 'node:test'
import { chainContract } from './store-chains.contract.ts'
import { conversationContract } from './store-conversations.contract.ts'
import { eventContract } from './store-events.contract.ts'
import { fileContract } from './store-files.contract.ts'
import { createManualClock, type Law, type OpenStore } from './store-fixtures.contract.ts'
import { idempotencyContract } from './store-idempotency.contract.ts'
import { jobContract } from './store-jobs.contract.ts'
import { keyContract } from './store-keys.contract.ts'
import { promptContract } from './store-prompts.contract.ts'
import { responseContract } from './store-responses.contract.ts'
import { retentionContract } from './store-retention.contract.ts'
import { usageContract } from './store-usage.contract.ts'
import { vectorStoreContract } from './store-vector-stores.contract.ts'
import { webhookContract } from './store-webhooks.contract.ts'

export function storeContract(name: string, openStore: OpenStore): void {
  const law: Law = (sentence, hold) =>
    test(`${name}: ${sentence}`, async () => {
      const clock = createManualClock()
      const opened = await openStore(clock)
      try {
        await hold({ ...opened, clock, project: opened.store.forProject('proj_a') })
      } finally {
        await opened.close()
      }
    })
  responseContract(law)
  chainContract(law)
  retentionContract(law)
  keyContract(law)
  promptContract(law)
  webhookContract(law)
  fileContract(law)
  vectorStoreContract(law)
  conversationContract(law)
  idempotencyContract(law)
  usageContract(law)
  jobContract(law)
  eventContract(law)
}
