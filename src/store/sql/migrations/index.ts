/** Every step of the schema, oldest first. A new one is a new file and a new line here. */
import { initial } from './0001-initial.ts'
import { prompts } from './0003-prompts.ts'
import type { Migration } from './migration.ts'

export type { Migration } from './migration.ts'
export const migrations: readonly Migration[] = [initial, prompts]
