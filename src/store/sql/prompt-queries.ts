/** Everything asked of `prompts` and `prompt_versions`, each query scoped to one project. */
import { query } from './query.ts'
import { PROJECT } from './response-queries.ts'

type Scope = { projectId: string; id: string }

export type PromptRow = {
  id: string
  name: string | null
  created_at: number
  default_version: number
  latest_version: number
  version: number
  body: string
}
type PageValues = { projectId: string; after: string; limit: number }

const COLUMNS = `prompts.id, prompts.name, prompts.created_at, prompts.default_version, prompts.latest_version,
  prompt_versions.version, prompt_versions.body`
const DEFAULTS = `from prompts join prompt_versions
  on prompt_versions.prompt_seq = prompts.seq and prompt_versions.version = prompts.default_version`
const AFTER = `(select after.seq from prompts as after where after.project = ${PROJECT} and after.id = :after)`

export const promptQueries = {
  countPrompts: query<{ projectId: string }, { prompts: number }>(
    `select count(*) as prompts from prompts where project = ${PROJECT}`,
  ),
  insertPrompt: query<Scope & { name: string | null; createdAt: number }>(`
    insert into prompts (project, id, name, created_at, default_version, latest_version)
    values (${PROJECT}, :id, :name, :createdAt, 1, 1)`),
  insertPromptVersion: query<Scope & { version: number; createdAt: number; body: string }>(`
    insert into prompt_versions (prompt_seq, version, created_at, body)
    values ((select seq from prompts where project = ${PROJECT} and id = :id), :version, :createdAt, :body)`),
  raisePrompt: query<Scope & { name: string | null; version: number }>(`
    update prompts set default_version = :version, latest_version = :version, name = coalesce(:name, name)
    where project = ${PROJECT} and id = :id`),
  setDefaultPrompt: query<Scope & { version: number }>(`
    update prompts set default_version = :version
    where project = ${PROJECT} and id = :id and :version between 1 and latest_version`),
  getPrompt: query<Scope, PromptRow>(`select ${COLUMNS} ${DEFAULTS} where project = ${PROJECT} and id = :id`),
  getPromptVersion: query<Scope & { version: number }, PromptRow>(`
    select ${COLUMNS} from prompts join prompt_versions on prompt_versions.prompt_seq = prompts.seq
    where project = ${PROJECT} and id = :id and prompt_versions.version = :version`),
  listPromptsUp: query<Omit<PageValues, 'after'>, PromptRow>(`
    select ${COLUMNS} ${DEFAULTS} where project = ${PROJECT} order by seq limit :limit`),
  listPromptsDown: query<Omit<PageValues, 'after'>, PromptRow>(`
    select ${COLUMNS} ${DEFAULTS} where project = ${PROJECT} order by seq desc limit :limit`),
  listPromptsUpAfter: query<PageValues, PromptRow>(`
    select ${COLUMNS} ${DEFAULTS} where project = ${PROJECT} and seq > ${AFTER} order by seq limit :limit`),
  listPromptsDownAfter: query<PageValues, PromptRow>(`
    select ${COLUMNS} ${DEFAULTS} where project = ${PROJECT} and seq < ${AFTER} order by seq desc limit :limit`),
  deletePrompt: query<Scope>(`delete from prompts where project = ${PROJECT} and id = :id`),
}
