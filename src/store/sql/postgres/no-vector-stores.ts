/** Vector stores on PostgreSQL: none can be made yet, so there are none. */
import { ApiError } from '../../../protocol/errors.ts'
import type { IngestQueue, VectorStoreCatalog } from '../../vector-store-catalog.ts'

export const noVectorStores: VectorStoreCatalog = {
  async create() {
    throw new ApiError({
      status: 400,
      code: 'unsupported_endpoint',
      message:
        'This server keeps its state in PostgreSQL, where it has no vector stores yet. Use one that keeps it in SQLite.',
    })
  },
  get: async () => null,
  usable: async () => new Set(),
  list: async ({ after, before }) => (after === null && before === null ? [] : 'unknown-cursor'),
  update: async () => 'unknown',
  delete: async () => false,
  async touch() {},
  attach: async () => ({ type: 'unknown' }),
  getAttachment: async () => null,
  listAttachments: async () => [],
  setAttributes: async () => null,
  detach: async () => false,
  complete: async () => new Set(),
  getBatch: async () => null,
  cancelBatch: async () => null,
}

export const noIngestion: IngestQueue = {
  take: async () => null,
  finish: async () => false,
  async postpone() {},
  changes: async () => [],
  async forget() {},
  stores: async () => [],
  documents: async () => [],
  requeue: async () => 0,
  expire: async () => 0,
}
