/** What the contract of the store works with: rows, a clock it can turn, and the wrapper that makes a store slow. */
import { sampleResponse } from '../../test/support/sample-response.ts'
import type { Clock } from '../lib/clock.ts'
import type { Item, OutputItem } from '../protocol/items.ts'
import { joinOutputText } from '../protocol/output-text.ts'
import type { ResponseObject, ResponseStatus } from '../protocol/response.ts'
import type { ConversationStore } from './conversation-store.ts'
import type { EventLog } from './event-log.ts'
import type { BlobLedger, FileStore } from './file-store.ts'
import type { IdempotencyStore } from './idempotency-store.ts'
import type { JobStore, ProjectJobs } from './job-store.ts'
import type { KeyStore, ProjectStore, PromptStore, ResponseRecord, Store, StoredKey, UsageRow } from './store.ts'
import type { IngestQueue, VectorStoreCatalog } from './vector-store-catalog.ts'
import type { WebhookQueue, WebhookStore } from './webhook-store.ts'

export type OpenedStore = {
  readonly store: Store
  /** Another store on the same data, through connections of its own: it sees nothing but what is committed. */
  readonly peer: Store
  /** The store of the next process, after that of `store` died without a word: what it ran is nobody's now. */
  heir(): Promise<Store>
  /** The ids in the ledger of a project, sorted; the port has no way to read it yet. */
  usageIds(projectId: string): Promise<string[]>
  /** Closes both stores and removes the data. */
  close(): Promise<void>
}

export type OpenStore = (clock: Clock) => Promise<OpenedStore>

/** What one law works with: a store that is empty at the start. */
export type Fixture = OpenedStore & {
  readonly clock: ReturnType<typeof createManualClock>
  readonly project: ProjectStore
}

/** Registers one test; its store is opened before and closed after, also when it fails. */
export type Law = (sentence: string, hold: (fixture: Fixture) => Promise<void>) => void

export const START_SECONDS = 1_750_000_000

/** A clock that stands still until it is turned; what waits for a time does so for no longer than its turn. */
export function createManualClock(): Clock & { advance(seconds: number): void } {
  let now = START_SECONDS * 1000
  return {
    now: () => now,
    monotonic: () => now,
    after(_ms, fn) {
      const turn = setImmediate(fn)
      return () => clearImmediate(turn)
    },
    advance(seconds) {
      now += seconds * 1000
    },
  }
}

export const userMessage = (id: string, text: string): Item => ({
  id,
  type: 'message',
  status: 'completed',
  role: 'user',
  content: [{ type: 'input_text', text }],
})

export const assistantMessage = (id: string, text: string): OutputItem => ({
  id,
  type: 'message',
  status: 'completed',
  role: 'assistant',
  content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
})

export function response(id: string, change: Partial<ResponseObject> = {}): ResponseObject {
  const output = change.output ?? [assistantMessage(`msg_out_${id}`, `answer of ${id}`)]
  return sampleResponse({
    id,
    created_at: START_SECONDS,
    completed_at: START_SECONDS + 1,
    output_text: joinOutputText(output),
    usage: usage(),
    ...change,
    output,
  })
}

const usage = () => ({
  input_tokens: 12,
  input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
  output_tokens: 5,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 17,
})

/** A finished response with one input message of its own. */
export function record(
  id: string,
  change: Partial<ResponseObject> = {},
  expiresAt: number | null = null,
): ResponseRecord {
  return { response: response(id, change), input: [userMessage(`msg_in_${id}`, `question of ${id}`)], expiresAt }
}

/** The same response while it runs: no output, no usage. */
export const running = (id: string, status: ResponseStatus = 'in_progress', expiresAt: number | null = null) =>
  record(id, { status, output: [], usage: null, completed_at: null }, expiresAt)

export const usageRow = (id: string, responseId: string): UsageRow => ({
  id,
  keyId: 'key000000001',
  responseId,
  provider: 'demo',
  model: 'demo',
  outcome: 'completed',
  usage: usage(),
  estimated: false,
  durationMs: 12.5,
  createdAt: START_SECONDS,
  cost: null,
})

export const storedKey = (id: string, change: Partial<StoredKey> = {}): StoredKey => ({
  id,
  projectId: 'proj_a',
  name: `key ${id}`,
  digest: 'd'.repeat(64),
  scopes: ['responses', 'read'],
  createdAt: START_SECONDS,
  expiresAt: null,
  revokedAt: null,
  ...change,
})

/** Waits a few turns of the event loop before and after each call; how many is decided by `seed` alone. */
export function slowStore(store: Store, seed: number): Store {
  const pause = createPause(seed)
  const slow =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      await pause()
      try {
        return await call(...args)
      } finally {
        await pause()
      }
    }
  return {
    forProject: (projectId) => slowProject(store.forProject(projectId), slow),
    keys: slowKeys(store.keys, slow),
    jobs: slowJobs(store.jobs, slow),
    webhooks: slowQueue(store.webhooks, slow),
    blobs: slowBlobs(store.blobs, slow),
    ingestion: slowIngestion(store.ingestion, slow),
    failOrphans: slow(store.failOrphans),
    purgeExpired: slow(store.purgeExpired),
    countExpired: slow(store.countExpired),
    expireOlder: slow(store.expireOlder),
    sumUsage: slow(store.sumUsage),
    usageOf: slow(store.usageOf),
    ping: slow(store.ping),
    close: slow(store.close),
  }
}

type Slow = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => (...args: A) => Promise<R>

const slowProject = (project: ProjectStore, slow: Slow): ProjectStore => ({
  projectId: project.projectId,
  conversations: slowConversations(project.conversations, slow),
  idempotency: slowIdempotency(project.idempotency, slow),
  jobs: slowProjectJobs(project.jobs, slow),
  events: slowEvents(project.events, slow),
  startResponse: slow(project.startResponse),
  finishResponse: slow(project.finishResponse),
  finishUnstored: slow(project.finishUnstored),
  openUsage: slow(project.openUsage),
  recordUsage: slow(project.recordUsage),
  getResponse: slow(project.getResponse),
  readChain: slow(project.readChain),
  getItems: slow(project.getItems),
  deleteResponse: slow(project.deleteResponse),
  prompts: slowPrompts(project.prompts, slow),
  webhooks: slowWebhooks(project.webhooks, slow),
  files: slowFiles(project.files, slow),
  vectorStores: slowVectorStores(project.vectorStores, slow),
})

const slowPrompts = (prompts: PromptStore, slow: Slow): PromptStore => ({
  create: slow(prompts.create),
  addVersion: slow(prompts.addVersion),
  setDefault: slow(prompts.setDefault),
  get: slow(prompts.get),
  list: slow(prompts.list),
  delete: slow(prompts.delete),
})

const slowWebhooks = (webhooks: WebhookStore, slow: Slow): WebhookStore => ({
  create: slow(webhooks.create),
  get: slow(webhooks.get),
  list: slow(webhooks.list),
  change: slow(webhooks.change),
  delete: slow(webhooks.delete),
  listDeliveries: slow(webhooks.listDeliveries),
  getDelivery: slow(webhooks.getDelivery),
  redeliver: slow(webhooks.redeliver),
})

const slowQueue = (queue: WebhookQueue, slow: Slow): WebhookQueue => ({
  take: slow(queue.take),
  settle: slow(queue.settle),
  nextDueAt: slow(queue.nextDueAt),
  setConfigured: slow(queue.setConfigured),
})

const slowFiles = (files: FileStore, slow: Slow): FileStore => ({
  create: slow(files.create),
  get: slow(files.get),
  blobsOf: slow(files.blobsOf),
  list: slow(files.list),
  delete: slow(files.delete),
  usedBytes: slow(files.usedBytes),
  uploads: {
    create: slow(files.uploads.create),
    get: slow(files.uploads.get),
    addPart: slow(files.uploads.addPart),
    blobsOf: slow(files.uploads.blobsOf),
    complete: slow(files.uploads.complete),
    cancel: slow(files.uploads.cancel),
  },
})

const slowVectorStores = (catalog: VectorStoreCatalog, slow: Slow): VectorStoreCatalog => ({
  create: slow(catalog.create),
  get: slow(catalog.get),
  usable: slow(catalog.usable),
  list: slow(catalog.list),
  update: slow(catalog.update),
  delete: slow(catalog.delete),
  touch: slow(catalog.touch),
  attach: slow(catalog.attach),
  getAttachment: slow(catalog.getAttachment),
  listAttachments: slow(catalog.listAttachments),
  setAttributes: slow(catalog.setAttributes),
  detach: slow(catalog.detach),
  complete: slow(catalog.complete),
  getBatch: slow(catalog.getBatch),
  cancelBatch: slow(catalog.cancelBatch),
})

const slowIngestion = (queue: IngestQueue, slow: Slow): IngestQueue => ({
  take: slow(queue.take),
  finish: slow(queue.finish),
  postpone: slow(queue.postpone),
  changes: slow(queue.changes),
  forget: slow(queue.forget),
  stores: slow(queue.stores),
  documents: slow(queue.documents),
  requeue: slow(queue.requeue),
  expire: slow(queue.expire),
})

const slowBlobs = (blobs: BlobLedger, slow: Slow): BlobLedger => ({
  begin: slow(blobs.begin),
  giveUp: slow(blobs.giveUp),
  findUnowned: slow(blobs.findUnowned),
  forget: slow(blobs.forget),
})

const slowConversations = (conversations: ConversationStore, slow: Slow): ConversationStore => ({
  create: slow(conversations.create),
  get: slow(conversations.get),
  setMetadata: slow(conversations.setMetadata),
  delete: slow(conversations.delete),
  addItems: slow(conversations.addItems),
  listItems: slow(conversations.listItems),
  getItem: slow(conversations.getItem),
  deleteItem: slow(conversations.deleteItem),
  readItems: slow(conversations.readItems),
  lock: slow(conversations.lock),
  renewLock: slow(conversations.renewLock),
  unlock: slow(conversations.unlock),
})

const slowIdempotency = (keys: IdempotencyStore, slow: Slow): IdempotencyStore => ({
  claim: slow(keys.claim),
  renew: slow(keys.renew),
  abandon: slow(keys.abandon),
})

const slowJobs = (jobs: JobStore, slow: Slow): JobStore => ({
  take: slow(jobs.take),
  heartbeat: slow(jobs.heartbeat),
  release: slow(jobs.release),
  write: slow(jobs.write),
  finish: slow(jobs.finish),
  wakeUp: jobs.wakeUp,
})

const slowProjectJobs = (jobs: ProjectJobs, slow: Slow): ProjectJobs => ({
  isFull: slow(jobs.isFull),
  enqueue: slow(jobs.enqueue),
  requestCancel: slow(jobs.requestCancel),
})

const slowEvents = (events: EventLog, slow: Slow): EventLog => ({
  read: slow(events.read),
  markSeen: slow(events.markSeen),
  wakeUp: events.wakeUp,
})

const slowKeys = (keys: KeyStore, slow: Slow): KeyStore => ({
  insert: slow(keys.insert),
  find: slow(keys.find),
  list: slow(keys.list),
  revoke: slow(keys.revoke),
})

const MAX_TURNS = 8

function createPause(seed: number): () => Promise<void> {
  let state = seed
  return async () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const turns = state % MAX_TURNS
    for (let turn = 0; turn < turns; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
  }
}
