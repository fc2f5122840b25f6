/** Composition: a folder of GGUF files -> a provider of the models in it. */
import type { LocalConfig, ProviderConfig } from '../config/resolved-config.ts'
import { createLocalEmbedder } from '../models/local/local-embedder.ts'
import { createLocalModel } from '../models/local/local-model.ts'
import { listModelFiles, type ModelFile } from '../models/local/model-files.ts'
import { createModelPool } from '../models/local/model-pool.ts'
import { createLlamaRuntime, type OpenModel } from '../models/local/open-model.ts'
import { type ModelCapabilities, ModelError } from '../models/model.ts'
import type { ModelProvider } from '../models/model-provider.ts'
import { createModelLister, type ListedModel } from '../models/provider-models.ts'
import type { ProviderDeps } from './open-provider.ts'

/** A look into a folder costs little, and a pulled model should be seen soon. */
const LIST_MAX_AGE_MS = 2_000

const CAPABILITIES: ModelCapabilities = {
  contextWindow: null,
  maxOutputTokens: null,
  imageInput: false,
  fileInput: false,
  functionTools: true,
  customTools: false,
  structuredOutput: true,
  reasoning: true,
  logprobs: false,
}

/** `loadLibrary`: a test may bring the library from elsewhere. */
export function openLocal(
  { name }: Pick<ProviderConfig, 'name'>,
  local: LocalConfig,
  deps: ProviderDeps,
  loadLibrary?: () => Promise<unknown>,
) {
  const runtime = createLlamaRuntime({ ...local, gpu: local.gpu === 'off' ? false : local.gpu }, loadLibrary)
  const pool = createModelPool<OpenModel>({
    load: async (model, signal) => runtime.open(await pathOf(local.dir, model), signal),
    maxLoaded: local.maxLoaded,
    idleMs: local.idleUnloadMs,
    clock: deps.clock,
  })
  const list = createModelLister(
    async () => (await listModelFiles(local.dir)).map((file) => toRow(file, local)),
    deps.clock,
  )
  const rows = (maxAgeMs = LIST_MAX_AGE_MS) => list(Math.min(maxAgeMs, LIST_MAX_AGE_MS))
  const shared = { provider: name, pool, ...deps }
  const provider: ModelProvider = {
    name,
    ownedBy: name,
    exactList: true,
    prefixed: true,
    listModels: async (maxAgeMs) => (await rows(maxAgeMs)).filter(({ kind }) => kind === undefined),
    listEmbedders: async () => (await rows()).filter(({ kind }) => kind === 'embedding'),
    open: (_model, { contextWindow, maxOutputTokens }) =>
      createLocalModel({
        ...shared,
        capabilities: {
          ...CAPABILITIES,
          contextWindow: contextWindow ?? local.contextSize,
          maxOutputTokens: maxOutputTokens ?? null,
        },
      }),
    openEmbedder: () => createLocalEmbedder({ ...shared, limits: { dimensions: null, maxInputTokens: null } }),
  }
  return {
    provider,
    async close() {
      await pool.close()
      await runtime.close()
    },
  }
}

/** Names come from clients; only what lies in the folder has a path. */
async function pathOf(dir: string, model: string): Promise<string> {
  const file = (await listModelFiles(dir)).find(({ name }) => name === model)
  if (file !== undefined) return file.path
  throw new ModelError('model_not_found', `There is no local model '${model}'.`, { status: 404, param: 'model' })
}

function toRow({ name, created, header }: ModelFile, { contextSize }: LocalConfig): ListedModel {
  const contextWindow = Math.min(contextSize, header.contextLength ?? contextSize)
  return {
    id: name,
    created,
    ownedBy: null,
    info: { contextWindow },
    ...(header.isEmbedder && { kind: 'embedding' as const }),
  }
}
