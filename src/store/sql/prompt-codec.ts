/** Prompt templates, from a row to the port's shape. */
import type { PromptTemplate } from '../../protocol/prompts.ts'
import type { StoredPrompt } from '../store.ts'
import type { PromptRow } from './prompt-queries.ts'

export function toPrompt(row: PromptRow): StoredPrompt {
  const template: PromptTemplate = JSON.parse(row.body)
  return {
    id: row.id,
    name: row.name,
    createdAt: row.created_at,
    version: row.version,
    defaultVersion: row.default_version,
    latestVersion: row.latest_version,
    template,
  }
}
