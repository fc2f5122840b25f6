/** Every step of the schema, oldest first. A new one is a new file and a new line here. */
import { initial } from './0001-initial.ts'
import { conversations } from './0002-conversations.ts'
import { idempotencyKeys } from './0003-idempotency-keys.ts'
import { prompts } from './0004-prompts.ts'
import { carriedItems } from './0005-carried-items.ts'
import { openUsage } from './0006-open-usage.ts'
import { background } from './0007-background.ts'
import { files } from './0009-files.ts'
import { vectorStores } from './0010-vector-stores.ts'
import { webhooks } from './0012-webhooks.ts'
import { vectorStoresOnPostgres } from './0015-vector-stores-on-postgres.ts'
import type { Migration } from './migration.ts'

export type { Migration } from './migration.ts'
export const migrations: readonly Migration[] = [
  initial,
  conversations,
  idempotencyKeys,
  prompts,
  carriedItems,
  openUsage,
  background,
  files,
  vectorStores,
  webhooks,
  vectorStoresOnPostgres,
]
