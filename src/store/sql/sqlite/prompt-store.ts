/** The prompt templates of one project. */
import type { NewPromptVersion, PromptStore, StoredPrompt } from '../../store.ts'
import { toPrompt } from '../prompt-codec.ts'
import { queries } from '../queries.ts'
import type { Connection } from './connection.ts'
import type { GroupCommit } from './group-commit.ts'
import { claimEnder } from './idempotency-store.ts'

type Parts = { readonly writer: Connection; readonly reader: Connection; readonly commits: GroupCommit }

export function createPromptStore({ writer, reader, commits }: Parts, projectId: string): PromptStore {
  const endClaimWith = claimEnder(writer, projectId)
  const find = (id: string) => writer.get(queries.getPrompt, { projectId, id })
  const insertVersion = ({ id, template, createdAt }: NewPromptVersion, version: number) =>
    writer.run(queries.insertPromptVersion, { projectId, id, version, createdAt, body: JSON.stringify(template) })
  return {
    create: (prompt, maxPrompts, endClaim) =>
      commits.write((): StoredPrompt | 'full' => {
        const { id, name, createdAt } = prompt
        writer.run(queries.addProject, { projectId })
        if ((writer.get(queries.countPrompts, { projectId })?.prompts ?? 0) >= maxPrompts) return 'full'
        writer.run(queries.insertPrompt, { projectId, id, name, createdAt })
        insertVersion(prompt, 1)
        const { template } = prompt
        const made = { id, name, createdAt, template, version: 1, defaultVersion: 1, latestVersion: 1 }
        return endClaimWith(made, endClaim)
      }),
    addVersion: (prompt, maxVersions, endClaim) =>
      commits.write(() => {
        const { id, name } = prompt
        const latest = find(id)?.latest_version
        if (latest === undefined) return 'unknown'
        if (latest >= maxVersions) return 'full'
        const version = latest + 1
        insertVersion(prompt, version)
        writer.run(queries.raisePrompt, { projectId, id, name, version })
        const row = find(id)
        return row ? endClaimWith(toPrompt(row), endClaim) : 'unknown'
      }),
    setDefault: (id, version, endClaim) =>
      commits.write(() => {
        const changed = writer.run(queries.setDefaultPrompt, { projectId, id, version }) > 0
        const row = changed ? find(id) : undefined
        return row ? endClaimWith(toPrompt(row), endClaim) : null
      }),
    async get(id, version) {
      const row =
        version === null
          ? reader.get(queries.getPrompt, { projectId, id })
          : reader.get(queries.getPromptVersion, { projectId, id, version })
      return row ? toPrompt(row) : null
    },
    async list({ limit, order, after }) {
      const rising = order === 'asc'
      const rows =
        after === null
          ? reader.all(rising ? queries.listPromptsUp : queries.listPromptsDown, { projectId, limit })
          : reader.all(rising ? queries.listPromptsUpAfter : queries.listPromptsDownAfter, { projectId, limit, after })
      return rows.map(toPrompt)
    },
    delete: (id) => commits.write(() => writer.run(queries.deletePrompt, { projectId, id }) > 0),
  }
}
