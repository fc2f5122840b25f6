/** Bodies of the Vector Stores API: from parsed JSON to a typed request, or a refusal that names the field. */
import { badRequest, missingParameter } from './errors.ts'
import { checkMetadata } from './request-rules.ts'
import { checkAttributes, readFilter } from './search-filters.ts'
import { createValidator } from './validate-conversation.ts'
import {
  AttachFileSchema,
  type ChunkingParam,
  CreateFileBatchSchema,
  CreateVectorStoreSchema,
  MAX_QUERY_CHARS,
  type SearchRanking,
  SearchVectorStoreSchema,
  UpdateAttributesSchema,
  UpdateVectorStoreSchema,
} from './vector-stores.ts'

/** @throws ApiError 400, as all of these */
export const validateCreateVectorStore = createValidator(CreateVectorStoreSchema, (request) => {
  checkMetadata(request)
  checkChunking(request.chunking_strategy, 'chunking_strategy')
  checkDistinct(request.file_ids ?? [], 'file_ids')
})
export const validateUpdateVectorStore = createValidator(UpdateVectorStoreSchema, checkMetadata)

export const validateAttachFile = createValidator(AttachFileSchema, (request) => {
  checkChunking(request.chunking_strategy, 'chunking_strategy')
  checkAttributes(request.attributes, 'attributes')
})
export const validateUpdateAttributes = createValidator(UpdateAttributesSchema, ({ attributes }) =>
  checkAttributes(attributes, 'attributes'),
)

export const validateCreateFileBatch = createValidator(CreateFileBatchSchema, (request) => {
  const { file_ids: ids, files } = request
  if (ids && files) throw invalid('files', "give either 'file_ids' or 'files', not both")
  if (!ids && !files) throw missingParameter('file_ids')
  checkChunking(request.chunking_strategy, 'chunking_strategy')
  checkAttributes(request.attributes, 'attributes')
  for (const [at, file] of (files ?? []).entries()) {
    checkChunking(file.chunking_strategy, `files[${at}].chunking_strategy`)
    checkAttributes(file.attributes, `files[${at}].attributes`)
  }
  checkDistinct(ids ?? files?.map(({ file_id }) => file_id) ?? [], ids ? 'file_ids' : 'files')
})

export const validateSearchVectorStore = createValidator(SearchVectorStoreSchema, (request) => {
  const queries = typeof request.query === 'string' ? [request.query] : request.query
  for (const [at, text] of queries.entries()) {
    const path = typeof request.query === 'string' ? 'query' : `query[${at}]`
    if (text.trim() === '') throw invalid(path, 'it is empty')
    if (text.length > MAX_QUERY_CHARS) throw invalid(path, `at most ${MAX_QUERY_CHARS} characters are searched for`)
  }
  if (request.filters) readFilter(request.filters, 'filters')
  checkRanking(request.ranking_options, 'ranking_options')
})

/** Also of the tool. */
export function checkRanking(ranking: Pick<SearchRanking, 'hybrid_search'> | null | undefined, path: string): void {
  const weights = ranking?.hybrid_search
  if (!weights) return
  for (const [name, weight] of Object.entries(weights))
    if (!(weight >= 0)) throw invalid(`${path}.hybrid_search.${name}`, 'a weight is 0 or more')
  if (weights.embedding_weight + weights.text_weight > 0) return
  throw invalid(`${path}.hybrid_search`, 'one of the weights has to be above 0')
}

function checkChunking(chunking: ChunkingParam | null | undefined, path: string): void {
  if (chunking?.type !== 'static') return
  const { max_chunk_size_tokens: size, chunk_overlap_tokens: overlap } = chunking.static
  if (overlap * 2 <= size) return
  throw invalid(`${path}.static.chunk_overlap_tokens`, `at most half of max_chunk_size_tokens, which is ${size}`)
}

function checkDistinct(ids: readonly string[], path: string): void {
  const again = ids.findIndex((id, at) => ids.indexOf(id) !== at)
  if (again !== -1) throw invalid(`${path}[${again}]`, `the file '${ids[again]}' is named twice`)
}

const invalid = (path: string, why: string) => badRequest(path, 'invalid_value', `Invalid '${path}': ${why}.`)
