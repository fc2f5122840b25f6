/** `file_search`, run here for any model: one function that takes queries, over the vector stores that the request names. */
import { ApiError, badRequest } from '../../protocol/errors.ts'
import type { FileSearchResult } from '../../protocol/hosted-items.ts'
import { readFilter } from '../../protocol/search-filters.ts'
import type { ToolParam, ToolSpec } from '../../protocol/tools.ts'
import { checkRanking } from '../../protocol/validate-vector-store.ts'
import { MAX_QUERY_CHARS, MAX_SEARCH_RESULTS } from '../../protocol/vector-stores.ts'
import type { FileSearcher, FoundChunk } from '../file-searcher.ts'
import { type ReadArguments, readArguments } from '../read-arguments.ts'
import type { DeclaredTool, FinishedCall, Tool, ToolContext, ToolOutcome, ToolStep } from '../tool.ts'
import { tellChunks } from './tell-model.ts'

type SearchParam = Extract<ToolParam, { type: 'file_search' }>

/** The name the model knows it by. */
export const FILE_SEARCH_NAME = 'file_search'
export const MAX_STORES = 20
export const MAX_QUERIES = 5
/** Where the request does not say: what a model with a small window can still read. */
const DEFAULT_RESULTS = 10
/** Whose calls of the embedding model they are, in the ledger. */
const KEY_ID = 'file-search'

const PARAMETERS = {
  type: 'object',
  properties: {
    queries: {
      type: 'array',
      items: { type: 'string' },
      maxItems: MAX_QUERIES,
      description: 'What to look for: one or more short queries in the words that the files may use.',
    },
  },
  required: ['queries'],
  additionalProperties: false,
} as const

const DESCRIPTION =
  'Searches the files that the user has provided. Use it whenever they may hold the answer, then cite the files you used ' +
  'by their marks.'

export function createFileSearchTool({ searcher }: { readonly searcher: FileSearcher }): Tool {
  return {
    // Who lets a provider run this kind of tool has the stores there.
    yieldsToProvider: () => true,
    claims: (spec) => spec.type === 'file_search',
    echo: (spec) => echo(searchParam(spec)),
    declare: (spec, path) => [declare(searchParam(spec), path)],
    async admit(spec, path, { projectId, isCarried }) {
      // Those of a provider are its own to know.
      if (isCarried) return
      const { vector_store_ids: ids } = searchParam(spec)
      const usable = await searcher.usable(projectId, ids)
      const at = ids.findIndex((id) => !usable.has(id))
      if (at !== -1) throw storeNotFound(`${path}.vector_store_ids[${at}]`, ids[at] ?? '')
    },
    open: ({ itemId }) => ({ id: itemId, type: 'file_search_call', status: 'in_progress', queries: [], results: null }),
    execute: (call, context) => execute(call, context, searcher),
  }
}

function searchParam(spec: ToolParam): SearchParam {
  if (spec.type !== 'file_search') throw new TypeError(`a tool of type '${spec.type}' is no file search`)
  return spec
}

const echo = (spec: SearchParam): ToolSpec => ({
  ...spec,
  filters: spec.filters ?? null,
  ranking_options: { ranker: 'auto', score_threshold: 0, ...spec.ranking_options },
})

function declare(spec: SearchParam, path: string): DeclaredTool {
  const { vector_store_ids: ids, max_num_results: count, ranking_options: ranking } = spec
  if (ids.length === 0 || ids.length > MAX_STORES)
    throw invalid(`${path}.vector_store_ids`, `it takes 1 to ${MAX_STORES} vector stores, not ${ids.length}`)
  if (count !== undefined && !(Number.isInteger(count) && count >= 1 && count <= MAX_SEARCH_RESULTS))
    throw invalid(`${path}.max_num_results`, `expected an integer from 1 to ${MAX_SEARCH_RESULTS}`)
  const threshold = ranking?.score_threshold ?? 0
  if (!(threshold >= 0 && threshold <= 1))
    throw invalid(`${path}.ranking_options.score_threshold`, 'expected a number from 0 to 1')
  checkRanking(ranking, `${path}.ranking_options`)
  if (spec.filters) readFilter(spec.filters, `${path}.filters`)
  const name = FILE_SEARCH_NAME
  const declaration = {
    type: 'function',
    name,
    description: DESCRIPTION,
    parameters: PARAMETERS,
    strict: false,
  } as const
  return { declaration, name, namespace: null, spec }
}

const invalid = (path: string, why: string) => badRequest(path, 'invalid_value', `Invalid '${path}': ${why}.`)

const storeNotFound = (param: string, id: string) =>
  new ApiError({ status: 404, param, message: `Vector store with id '${id}' not found.` })

async function* execute(
  call: FinishedCall,
  context: ToolContext,
  searcher: FileSearcher,
): AsyncGenerator<ToolStep, ToolOutcome> {
  const { item } = call
  if (item?.type !== 'file_search_call') throw new TypeError('a file search runs in an item of its own')
  yield { type: 'progress', event: { type: 'response.file_search_call.in_progress' } }
  const read = readQueries(call)
  if (!read.ok) {
    yield { type: 'finish', item: { ...item, status: 'failed' } }
    return read.outcome
  }
  yield { type: 'progress', event: { type: 'response.file_search_call.searching' } }
  const queries = [...read.queries]
  const found = await search(queries, searchParam(call.declared.spec), context, searcher)
  if (found === null) {
    yield { type: 'finish', item: { ...item, status: 'failed', queries } }
    return { type: 'result', output: 'The files could not be searched. Try again, or answer without them and say so.' }
  }
  yield { type: 'progress', event: { type: 'response.file_search_call.completed' } }
  const isAsked = context.include.includes('file_search_call.results')
  yield {
    type: 'finish',
    item: { ...item, status: 'completed', queries, results: isAsked ? found.map(toResult) : null },
  }
  const cited = found.map((chunk) => {
    const { fileId, filename } = chunk
    return { ...chunk, mark: context.cite({ type: 'file', fileId, filename }) }
  })
  return { type: 'result', output: tellChunks(cited) }
}

type ReadQueries = { readonly ok: true; readonly queries: readonly string[] } | Extract<ReadArguments, { ok: false }>

/** Models write one query where several are meant, and the other way round. */
function readQueries(call: FinishedCall): ReadQueries {
  const read = readArguments(call)
  if (!read.ok) return read
  const { queries, query } = read.value
  const texts = [...(Array.isArray(queries) ? queries : [queries]), query]
    .filter((text) => typeof text === 'string')
    .map((text) => text.trim().slice(0, MAX_QUERY_CHARS).toWellFormed())
    .filter((text) => text !== '')
  if (texts.length === 0) return { ok: false, outcome: { type: 'bad-arguments', problem: 'a search needs "queries"' } }
  return { ok: true, queries: [...new Set(texts)].slice(0, MAX_QUERIES) }
}

/** Null when the stores cannot be searched; an abort is thrown. */
async function search(
  queries: readonly string[],
  spec: SearchParam,
  { projectId, responseId, signal }: ToolContext,
  searcher: FileSearcher,
): Promise<readonly FoundChunk[] | null> {
  try {
    return await searcher.search({
      projectId,
      keyId: KEY_ID,
      requestId: responseId,
      storeIds: [...new Set(spec.vector_store_ids)],
      queries,
      filter: spec.filters ? readFilter(spec.filters, 'tools') : null,
      limit: spec.max_num_results ?? DEFAULT_RESULTS,
      ranking: spec.ranking_options ?? null,
      signal,
    })
  } catch (error) {
    signal.throwIfAborted()
    // What else it may be is a fault, and told by the loop.
    if (error instanceof ApiError) return null
    throw error
  }
}

const toResult = ({ fileId, filename, chunk, score, attributes }: FoundChunk): FileSearchResult => ({
  file_id: fileId,
  filename,
  text: chunk.text,
  score,
  attributes: { ...attributes },
})
