/** `POST /v1/responses/compact`: a window goes in, a shorter one that says the same comes out. */
import { MAX_TEXT_CHARS } from './content.ts'
import { ItemSchema } from './items.ts'
import { CACHE_RETENTIONS, CACHE_TTLS } from './options.ts'
import { InputSchema } from './request.ts'
import { UsageSchema } from './response.ts'
import { Maybe, OneOf, type Static, Type } from './schema.ts'

export const CompactRequestSchema = Type.Object({
  model: Maybe(Type.String({ minLength: 1, maxLength: 256 })),
  input: Maybe(InputSchema),
  instructions: Maybe(Type.String({ maxLength: MAX_TEXT_CHARS })),
  previous_response_id: Maybe(Type.String({ minLength: 1 })),
  prompt_cache_key: Maybe(Type.String({ maxLength: 64 })),
  prompt_cache_options: Maybe(
    Type.Object({ mode: Maybe(OneOf(['implicit', 'explicit'])), ttl: Maybe(OneOf(CACHE_TTLS)) }),
  ),
  prompt_cache_retention: Maybe(OneOf(CACHE_RETENTIONS)),
  service_tier: Maybe(OneOf(['auto', 'default', 'fast', 'flex', 'priority'])),
})

export const CompactedResponseSchema = Type.Object({
  /** Not an id to continue from: send `output` as the next `input`. */
  id: Type.String(),
  object: Type.Literal('response.compaction'),
  created_at: Type.Integer(),
  /** Messages of the user, the system and the developer as they were, then one compaction item. */
  output: Type.Array(ItemSchema),
  usage: UsageSchema,
})

export type CompactRequest = Static<typeof CompactRequestSchema>
export type CompactedResponse = Static<typeof CompactedResponseSchema>

export const COMPACT_FIELDS: ReadonlySet<string> = new Set(Object.keys(CompactRequestSchema.properties))
