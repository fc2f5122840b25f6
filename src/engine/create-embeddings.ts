/** Use case: texts to vectors. No response and nothing stored; the calls are in the ledger as every other. */
import type { ResolvedEmbedder } from '../models/embedder.ts'
import type { EmbeddingInput, EmbeddingsRequest } from '../protocol/embeddings.ts'
import { badRequest, missingParameter, modelNotFound } from '../protocol/errors.ts'
import type { Usage } from '../protocol/response.ts'
import { addUsage, plainUsage } from '../protocol/usage.ts'
import type { CreateDeps } from './create-deps.ts'
import type { Caller, Embeddings } from './engine.ts'
import { toApiError } from './model-failure.ts'
import { openRunContext } from './run-context.ts'
import { endOfFailure } from './run-response.ts'
import { createUsageLedger, roughUsage, textChars, type UsageLedger } from './usage-ledger.ts'

export async function createEmbeddings(
  request: EmbeddingsRequest,
  caller: Caller,
  deps: CreateDeps,
): Promise<Embeddings> {
  const startedAt = deps.clock.monotonic()
  const release = deps.slots.take(caller.principal.projectId)
  try {
    const resolved = await resolveEmbedder(request.model, deps)
    const ledger = openLedger(request, caller, deps)
    const made = await embedAll(request, resolved, { ledger, caller, deps })
    const upstreamMs = ledger.attempts.reduce((sum, attempt) => sum + attempt.durationMs, 0)
    return {
      ...made,
      model: resolved.name,
      report: () => ({
        provider: resolved.provider,
        upstreamModel: resolved.upstreamModel,
        fallbackFrom: null,
        warnings: [],
        attempts: ledger.attempts.length,
        upstreamRequestId: ledger.attempts.at(-1)?.upstreamRequestId ?? null,
        overheadMs: deps.clock.monotonic() - startedAt - upstreamMs,
        costUsd: ledger.costUsd(),
      }),
    }
  } finally {
    release()
  }
}

async function resolveEmbedder(name: string | null, { embedders, catalog }: CreateDeps): Promise<ResolvedEmbedder> {
  if (name === null) throw missingParameter('model')
  const resolved = await embedders.resolve(name)
  if (resolved !== null) return resolved
  const entry = await catalog.get(name)
  if (entry === null) throw modelNotFound(name)
  const message = `The model '${name}' makes no embeddings. GET /v1/models lists those that do with 'kind': 'embedding'.`
  throw badRequest('model', 'unsupported_value', message)
}

function openLedger({ inputs }: EmbeddingsRequest, { principal, requestId }: Caller, deps: CreateDeps): UsageLedger {
  return createUsageLedger(deps, {
    store: deps.store.forProject(principal.projectId),
    responseId: deps.ids.next('emb'),
    keyId: principal.keyId,
    requestId,
    estimateInput: () => estimate(inputs),
  })
}

type Parts = { readonly ledger: UsageLedger; readonly caller: Caller; readonly deps: CreateDeps }
type Made = Pick<Embeddings, 'vectors' | 'usage'>

async function embedAll(request: EmbeddingsRequest, resolved: ResolvedEmbedder, parts: Parts): Promise<Made> {
  const { ledger, caller, deps } = parts
  const context = openRunContext(ledger, caller, deps)
  try {
    return await embedBatches(request, resolved, context.model)
  } catch (error) {
    const end = endOfFailure(error, context.model.signal)
    throw end.status === 'failed' ? end.cause : toApiError(error)
  } finally {
    context.dispose()
    await record(request, parts)
  }
}

/** One call after the other, each with as many inputs as the model takes. */
async function embedBatches(
  { inputs, dimensions, user }: EmbeddingsRequest,
  { embedder, upstreamModel }: ResolvedEmbedder,
  context: Parameters<ResolvedEmbedder['embedder']['embed']>[1],
): Promise<Made> {
  const vectors: (readonly number[])[] = []
  let usage: Usage | null = null
  for (let at = 0; at < inputs.length; at += embedder.limits.maxInputs) {
    const batch = inputs.slice(at, at + embedder.limits.maxInputs)
    const made = await embedder.embed({ model: upstreamModel, inputs: batch, dimensions, user }, context)
    vectors.push(...made.vectors)
    const used = made.usage ?? estimate(batch)
    usage = usage === null ? used : addUsage(usage, used)
  }
  return { vectors, usage: usage ?? estimate([]) }
}

async function record(request: EmbeddingsRequest, { ledger, caller, deps }: Parts): Promise<void> {
  const rows = await ledger.close(() => estimate(request.inputs))
  if (rows.length === 0) return
  deps.store
    .forProject(caller.principal.projectId)
    .recordUsage(rows)
    .catch((error) => deps.telemetry.failed({ requestId: caller.requestId, where: 'record-usage', error }))
}

/** Texts by their letters, tokens by their number. */
function estimate(inputs: readonly EmbeddingInput[]): Usage {
  const texts = inputs.filter((input) => typeof input === 'string')
  const tokens = inputs.reduce((sum, input) => sum + (typeof input === 'string' ? 0 : input.length), 0)
  return addUsage(roughUsage(textChars(texts), 0), plainUsage(tokens, 0))
}
