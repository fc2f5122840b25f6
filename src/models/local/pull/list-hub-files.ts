/** The files of a repository, as the hub lists them. */
import type { HubFile } from './choose-files.ts'
import { type FetchOptions, fetchStep } from './fetch-step.ts'
import { PullFailed } from './pull-source.ts'

const MAX_LIST_BYTES = 8 * 1024 * 1024

/** Throws `PullFailed` when there is no such repository or nobody may see it. */
export async function listHubFiles(repo: string, options: FetchOptions): Promise<readonly HubFile[]> {
  const reply = await fetchStep(`${options.hub.endpoint}/api/models/${repo}/tree/main?recursive=true`, options)
  if (reply.status !== 200) {
    await reply.body.dump()
    throw new PullFailed(explain(reply.status, repo, options.hub.token !== null))
  }
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of reply.body) {
    const piece = Buffer.from(chunk)
    bytes += piece.length
    if (bytes > MAX_LIST_BYTES) throw new PullFailed('the list of files is too long')
    chunks.push(piece)
  }
  return readRows(Buffer.concat(chunks).toString())
}

export const fileUrl = (endpoint: string, repo: string, path: string): string =>
  `${endpoint}/${repo}/resolve/main/${path.split('/').map(encodeURIComponent).join('/')}`

function explain(status: number, repo: string, hasToken: boolean): string {
  if (status === 401 || status === 403) {
    const how = hasToken ? 'the token in HF_TOKEN may not read it' : 'set HF_TOKEN when it is private or gated'
    return `${repo} cannot be read, or is not there: ${how}`
  }
  return status === 404 ? `there is no repository ${repo}` : `the hub answered ${status}; try again later`
}

function readRows(text: string): readonly HubFile[] {
  let rows: unknown
  try {
    rows = JSON.parse(text)
  } catch {
    throw new PullFailed('the hub did not answer with a list of files')
  }
  return Array.isArray(rows) ? rows.flatMap(readRow) : []
}

function readRow(row: unknown): HubFile[] {
  if (typeof row !== 'object' || row === null || !('path' in row) || !('size' in row)) return []
  const { path, size } = row
  if (typeof path !== 'string' || typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return []
  const lfs = 'lfs' in row && typeof row.lfs === 'object' ? row.lfs : null
  const oid = lfs !== null && 'oid' in lfs && typeof lfs.oid === 'string' ? lfs.oid.replace(/^sha256:/, '') : ''
  return [{ path, size, sha256: /^[0-9a-f]{64}$/.test(oid) ? oid : null }]
}
