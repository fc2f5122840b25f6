/** What a server has to have in common with all others on its database, before it may be one of them. */
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { digestSecret } from '../auth/api-keys.ts'
import { makeOnce, OWNER_ONLY_FOLDER, readIfThere } from '../auth/secret-files.ts'
import { CommandError } from '../cli/app-interface.ts'
import type { ResolvedConfig } from '../config/resolved-config.ts'
import type { PostgresStore } from '../store/sql/postgres/postgres-store.ts'

/** A third of the lease by which replicas know of each other. */
const MAX_SKEW_MS = 5_000
const MS_PER_SECOND = 1_000
const ID_BYTES = 8

/** The pepper, as a fact that gives nothing of it away. */
export const pepperFact = (pepper: Buffer): string => digestSecret(pepper, 'pepper')

/** For all who check or make keys. */
export async function refuseOtherPepper(store: PostgresStore, pepper: Buffer): Promise<void> {
  if (await isShared(store, 'pepper', pepperFact(pepper))) return
  throw new CommandError(
    'The keys in this database were made with another pepper. Copy the files pepper and sealing-keys from the data ' +
      'directory of the first server into this one.',
  )
}

/** For servers. */
export async function joinReplicas(store: PostgresStore, pepper: Buffer, config: ResolvedConfig): Promise<void> {
  await refuseOtherClock(store)
  await refuseOtherPepper(store, pepper)
  if (await isShared(store, 'files', placeOf(config.fileStorage))) return
  throw new CommandError(
    'The files of this database are kept somewhere else, where this server cannot read them. Give all servers the same ' +
      'storage.files: a bucket (s3://...), or one folder that all of them mount.',
  )
}

const isShared = async (store: PostgresStore, name: string, value: string) =>
  (await store.rememberFact(name, value)) === value

async function refuseOtherClock(store: PostgresStore): Promise<void> {
  const skew = await store.clockSkewMs()
  if (Math.abs(skew) <= MAX_SKEW_MS) return
  throw new CommandError(
    `The clock of this machine is ${(skew / MS_PER_SECOND).toFixed(1)} s behind that of the database. Servers share ` +
      'leases by time, so set the clocks (NTP) before starting.',
  )
}

/** A folder is known by what lies in it, wherever it is mounted. */
function placeOf(storage: ResolvedConfig['fileStorage']): string {
  if (storage.type === 's3') return ['s3', storage.endpoint, storage.bucket, storage.prefix].join(' ')
  mkdirSync(storage.path, { recursive: true, mode: OWNER_ONLY_FOLDER })
  const mark = join(storage.path, 'id')
  return `folder ${readIfThere(mark) ?? makeOnce(mark, randomBytes(ID_BYTES).toString('hex'))}`
}
