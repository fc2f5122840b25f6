/** A model as OpenAI's clients read it, and as the coding agent Codex reads it. */
import type { ModelEntry } from '../../models/catalog.ts'
import type { EmbedderEntry } from '../../models/embedder.ts'

/** OpenAI's four fields, and what we know besides. `fields` and `deployments` are shown of one model, not in lists. */
export const toModelObject = ({
  id,
  created,
  ownedBy,
  displayName,
  capabilities,
  fields,
  deployments,
}: ModelEntry) => ({
  id,
  object: 'model',
  created,
  owned_by: ownedBy,
  kind: 'chat',
  ...(displayName !== undefined && { display_name: displayName }),
  context_window: capabilities.contextWindow,
  max_output_tokens: capabilities.maxOutputTokens,
  capabilities: {
    image_input: capabilities.imageInput,
    file_input: capabilities.fileInput,
    function_tools: capabilities.functionTools,
    custom_tools: capabilities.customTools,
    structured_output: capabilities.structuredOutput,
    reasoning: capabilities.reasoning,
    logprobs: capabilities.logprobs,
  },
  ...(fields && { fields }),
  ...(deployments && {
    deployments: deployments.map((it) => ({
      provider: it.provider,
      model: it.upstreamModel,
      tested_at: it.testedAt,
      fields: it.fields,
    })),
  }),
})

/** The same for a model of embeddings, which has other things to say. */
export const toEmbedderObject = ({ id, created, ownedBy, limits }: EmbedderEntry) => ({
  id,
  object: 'model',
  created,
  owned_by: ownedBy,
  kind: 'embedding',
  dimensions: limits.dimensions,
  max_inputs: limits.maxInputs,
  max_input_tokens: limits.maxInputTokens,
})

/** Assumed for a model that does not say; small, because an agent that trusts too much runs into the wall. */
const UNKNOWN_CONTEXT_WINDOW = 32_768
/** Bytes of one tool output that the agent keeps. */
const TOOL_OUTPUT_BYTES = 10_000
const REASONING_LEVELS = [
  { effort: 'low', description: 'Faster, lighter reasoning' },
  { effort: 'medium', description: 'Balanced speed and depth' },
  { effort: 'high', description: 'Slower, deeper reasoning' },
]
const AGENT_INSTRUCTIONS =
  'You are a coding agent working in the terminal of the user. Read before you change, make the smallest change that ' +
  'does the job, run what checks it, and say plainly what you did and what you could not do.'

/** The shape Codex expects of a catalogue; it rejects an entry that lacks one of these. */
export const toCodexModel = ({ id, ownedBy, displayName, capabilities }: ModelEntry, index: number) => ({
  slug: id,
  display_name: displayName ?? id,
  description: `${id} of ${ownedBy}`,
  default_reasoning_level: capabilities.reasoning ? 'medium' : null,
  supported_reasoning_levels: capabilities.reasoning ? REASONING_LEVELS : [],
  shell_type: 'shell_command',
  visibility: 'list',
  supported_in_api: true,
  priority: index,
  upgrade: null,
  base_instructions: AGENT_INSTRUCTIONS,
  supports_reasoning_summaries: capabilities.reasoning,
  support_verbosity: false,
  default_verbosity: null,
  apply_patch_tool_type: capabilities.customTools ? 'freeform' : 'function',
  truncation_policy: { mode: 'bytes', limit: TOOL_OUTPUT_BYTES },
  supports_parallel_tool_calls: capabilities.functionTools,
  context_window: capabilities.contextWindow ?? UNKNOWN_CONTEXT_WINDOW,
  experimental_supported_tools: [],
})
