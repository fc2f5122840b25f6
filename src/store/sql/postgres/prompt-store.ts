/** The prompt templates of one project. */
import type { NewPromptVersion, PromptStore, StoredPrompt } from '../../store.ts'
import { toPrompt } from '../prompt-codec.ts'
import { queries } from '../queries.ts'
import type { Sql } from '../query.ts'
import { query } from '../query.ts'
import { PROJECT } from '../response-queries.ts'
import { forUpdate } from './for-update.ts'
import { holdProject } from './hold-project.ts'
import { claimEnder } from './idempotency-store.ts'
import type { StoreParts } from './parts.ts'

/** Held while the next version gets its number. */
const holdPrompt = forUpdate(
  query<{ projectId: string; id: string }, { latest_version: number }>(
    `select latest_version from prompts where project = ${PROJECT} and id = :id`,
  ),
)

export function createPromptStore({ database, ensureProject }: StoreParts, projectId: string): PromptStore {
  const endClaimWith = claimEnder(projectId)
  const find = (sql: Sql, id: string) => sql.get(queries.getPrompt, { projectId, id })
  const insertVersion = (sql: Sql, { id, template, createdAt }: NewPromptVersion, version: number) =>
    sql.run(queries.insertPromptVersion, { projectId, id, version, createdAt, body: JSON.stringify(template) })
  return {
    async create(prompt, maxPrompts, endClaim) {
      const { id, name, createdAt, template } = prompt
      await ensureProject(projectId)
      return database.transaction(async (sql): Promise<StoredPrompt | 'full'> => {
        await sql.get(holdProject, { projectId })
        if (((await sql.get(queries.countPrompts, { projectId }))?.prompts ?? 0) >= maxPrompts) return 'full'
        await sql.run(queries.insertPrompt, { projectId, id, name, createdAt })
        await insertVersion(sql, prompt, 1)
        const made = { id, name, createdAt, template, version: 1, defaultVersion: 1, latestVersion: 1 }
        return endClaimWith(sql, made, endClaim)
      })
    },
    addVersion: (prompt, maxVersions, endClaim) =>
      database.transaction(async (sql) => {
        const { id, name } = prompt
        const latest = (await sql.get(holdPrompt, { projectId, id }))?.latest_version
        if (latest === undefined) return 'unknown'
        if (latest >= maxVersions) return 'full'
        const version = latest + 1
        await insertVersion(sql, prompt, version)
        await sql.run(queries.raisePrompt, { projectId, id, name, version })
        const row = await find(sql, id)
        return row ? endClaimWith(sql, toPrompt(row), endClaim) : 'unknown'
      }),
    setDefault: (id, version, endClaim) =>
      database.transaction(async (sql) => {
        const changed = (await sql.run(queries.setDefaultPrompt, { projectId, id, version })) > 0
        const row = changed ? await find(sql, id) : undefined
        return row ? endClaimWith(sql, toPrompt(row), endClaim) : null
      }),
    async get(id, version) {
      const row =
        version === null
          ? await find(database, id)
          : await database.get(queries.getPromptVersion, { projectId, id, version })
      return row ? toPrompt(row) : null
    },
    async list({ limit, order, after }) {
      const rising = order === 'asc'
      const rows =
        after === null
          ? await database.all(rising ? queries.listPromptsUp : queries.listPromptsDown, { projectId, limit })
          : await database.all(rising ? queries.listPromptsUpAfter : queries.listPromptsDownAfter, {
              ...{ projectId, limit, after },
            })
      return rows.map(toPrompt)
    },
    delete: async (id) => (await database.run(queries.deletePrompt, { projectId, id })) > 0,
  }
}
