/** The objects of the Vector Stores API, and the bodies of its requests. */
import { MetadataSchema } from './options.ts'
import { Maybe, Nullable, OneOf, type Static, Type } from './schema.ts'
import { AttributesSchema, SearchFilterSchema } from './search-filters.ts'

export const MAX_STORE_FILE_IDS = 500
export const MAX_BATCH_FILES = 2_000
export const MAX_EXPIRY_DAYS = 365
export const MAX_STORE_NAME_CHARS = 256
export const MAX_STORE_DESCRIPTION_CHARS = 1_024
export const CHUNK_TOKENS = { min: 100, max: 4_096 } as const
/** What `auto` stands for. */
export const AUTO_CHUNKS = { max_chunk_size_tokens: 800, chunk_overlap_tokens: 400 } as const
export const MAX_SEARCH_RESULTS = 50
export const DEFAULT_SEARCH_RESULTS = 10
/** Of one search. */
export const MAX_SEARCH_QUERIES = 8
export const MAX_QUERY_CHARS = 4_096

export const STORE_FILE_STATUSES = ['in_progress', 'completed', 'failed', 'cancelled'] as const
const INGEST_ERRORS = ['server_error', 'unsupported_file', 'invalid_file'] as const

const ExpiresAfterSchema = Type.Object({
  anchor: Type.Literal('last_active_at'),
  days: Type.Integer({ minimum: 1, maximum: MAX_EXPIRY_DAYS }),
})
const StaticChunksSchema = Type.Object({
  max_chunk_size_tokens: Type.Integer({ minimum: CHUNK_TOKENS.min, maximum: CHUNK_TOKENS.max }),
  chunk_overlap_tokens: Type.Integer({ minimum: 0, maximum: CHUNK_TOKENS.max / 2 }),
})
const StaticStrategySchema = Type.Object({ type: Type.Literal('static'), static: StaticChunksSchema })
const ChunkingSchema = Type.Union([Type.Object({ type: Type.Literal('auto') }), StaticStrategySchema])

const FileCountsSchema = Type.Object({
  in_progress: Type.Integer(),
  completed: Type.Integer(),
  failed: Type.Integer(),
  cancelled: Type.Integer(),
  total: Type.Integer(),
})

export const VectorStoreSchema = Type.Object({
  id: Type.String(),
  object: Type.Literal('vector_store'),
  created_at: Type.Integer(),
  name: Type.String(),
  description: Maybe(Type.String()),
  usage_bytes: Type.Integer(),
  file_counts: FileCountsSchema,
  status: OneOf(['expired', 'in_progress', 'completed']),
  expires_after: Maybe(ExpiresAfterSchema),
  expires_at: Maybe(Type.Integer()),
  last_active_at: Nullable(Type.Integer()),
  metadata: Nullable(MetadataSchema),
})
export const VectorStoreFileSchema = Type.Object({
  id: Type.String(),
  object: Type.Literal('vector_store.file'),
  created_at: Type.Integer(),
  usage_bytes: Type.Integer(),
  vector_store_id: Type.String(),
  status: OneOf(STORE_FILE_STATUSES),
  last_error: Nullable(Type.Object({ code: OneOf(INGEST_ERRORS), message: Type.String() })),
  chunking_strategy: StaticStrategySchema,
  attributes: Nullable(AttributesSchema),
})
export const FileBatchSchema = Type.Object({
  id: Type.String(),
  object: Type.Literal('vector_store.files_batch'),
  created_at: Type.Integer(),
  vector_store_id: Type.String(),
  status: OneOf(STORE_FILE_STATUSES),
  file_counts: FileCountsSchema,
})

const listOf = <T extends typeof VectorStoreSchema | typeof VectorStoreFileSchema>(schema: T) =>
  Type.Object({
    object: Type.Literal('list'),
    data: Type.Array(schema),
    first_id: Nullable(Type.String()),
    last_id: Nullable(Type.String()),
    has_more: Type.Boolean(),
  })
export const VectorStoreListSchema = listOf(VectorStoreSchema)
export const VectorStoreFileListSchema = listOf(VectorStoreFileSchema)
export const DeletedVectorStoreSchema = Type.Object({
  id: Type.String(),
  object: Type.Literal('vector_store.deleted'),
  deleted: Type.Literal(true),
})
export const DeletedVectorStoreFileSchema = Type.Object({
  id: Type.String(),
  object: Type.Literal('vector_store.file.deleted'),
  deleted: Type.Literal(true),
})

const TextPartSchema = Type.Object({ type: Type.Literal('text'), text: Type.String() })
export const FileContentPageSchema = Type.Object({
  object: Type.Literal('vector_store.file_content.page'),
  data: Type.Array(TextPartSchema),
  has_more: Type.Boolean(),
  next_page: Nullable(Type.String()),
})
export const SearchPageSchema = Type.Object({
  object: Type.Literal('vector_store.search_results.page'),
  search_query: Type.Array(Type.String()),
  data: Type.Array(
    Type.Object({
      file_id: Type.String(),
      filename: Type.String(),
      score: Type.Number(),
      attributes: Nullable(AttributesSchema),
      content: Type.Array(TextPartSchema),
    }),
  ),
  has_more: Type.Boolean(),
  next_page: Nullable(Type.String()),
})

// ---- requests -------------------------------------------------------------------------------------------------

export const CreateVectorStoreSchema = Type.Object({
  file_ids: Maybe(Type.Array(Type.String(), { maxItems: MAX_STORE_FILE_IDS })),
  name: Maybe(Type.String({ maxLength: MAX_STORE_NAME_CHARS })),
  description: Maybe(Type.String({ maxLength: MAX_STORE_DESCRIPTION_CHARS })),
  expires_after: Maybe(ExpiresAfterSchema),
  chunking_strategy: Maybe(ChunkingSchema),
  metadata: Maybe(MetadataSchema),
})
export const UpdateVectorStoreSchema = Type.Object({
  name: Maybe(Type.String({ maxLength: MAX_STORE_NAME_CHARS })),
  expires_after: Maybe(ExpiresAfterSchema),
  metadata: Maybe(MetadataSchema),
})
export const AttachFileSchema = Type.Object({
  file_id: Type.String(),
  chunking_strategy: Maybe(ChunkingSchema),
  attributes: Maybe(AttributesSchema),
})
export const UpdateAttributesSchema = Type.Object({ attributes: Nullable(AttributesSchema) })
export const CreateFileBatchSchema = Type.Object({
  file_ids: Maybe(Type.Array(Type.String(), { minItems: 1, maxItems: MAX_BATCH_FILES })),
  files: Maybe(Type.Array(AttachFileSchema, { minItems: 1, maxItems: MAX_BATCH_FILES })),
  chunking_strategy: Maybe(ChunkingSchema),
  attributes: Maybe(AttributesSchema),
})
export const SearchRankingSchema = Type.Object({
  ranker: Maybe(OneOf(['none', 'auto', 'default-2024-11-15'])),
  score_threshold: Maybe(Type.Number({ minimum: 0, maximum: 1 })),
  hybrid_search: Maybe(Type.Object({ embedding_weight: Type.Number(), text_weight: Type.Number() })),
})
export const SearchVectorStoreSchema = Type.Object({
  query: Type.Union([Type.String(), Type.Array(Type.String(), { minItems: 1, maxItems: MAX_SEARCH_QUERIES })]),
  rewrite_query: Maybe(Type.Boolean()),
  max_num_results: Maybe(Type.Integer({ minimum: 1, maximum: MAX_SEARCH_RESULTS })),
  filters: Maybe(SearchFilterSchema),
  ranking_options: Maybe(SearchRankingSchema),
})

export type FileCounts = Static<typeof FileCountsSchema>
export type StoreFileStatus = (typeof STORE_FILE_STATUSES)[number]
export type IngestErrorCode = (typeof INGEST_ERRORS)[number]
export type ChunkingStrategy = Static<typeof StaticChunksSchema>
export type ChunkingParam = Static<typeof ChunkingSchema>
export type VectorStoreObject = Static<typeof VectorStoreSchema>
export type VectorStoreList = Static<typeof VectorStoreListSchema>
export type VectorStoreFileObject = Static<typeof VectorStoreFileSchema>
export type VectorStoreFileList = Static<typeof VectorStoreFileListSchema>
export type FileBatchObject = Static<typeof FileBatchSchema>
export type FileContentPage = Static<typeof FileContentPageSchema>
export type SearchPage = Static<typeof SearchPageSchema>
export type CreateVectorStoreRequest = Static<typeof CreateVectorStoreSchema>
export type UpdateVectorStoreRequest = Static<typeof UpdateVectorStoreSchema>
export type AttachFileRequest = Static<typeof AttachFileSchema>
export type UpdateAttributesRequest = Static<typeof UpdateAttributesSchema>
export type CreateFileBatchRequest = Static<typeof CreateFileBatchSchema>
export type SearchVectorStoreRequest = Static<typeof SearchVectorStoreSchema>
export type SearchRanking = Static<typeof SearchRankingSchema>
