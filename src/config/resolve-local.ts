/** The provider of models that run in this process. */
import type { providers as providersKind } from './entities.ts'
import type { Read } from './kinds.ts'
import { LOCAL } from './known-providers.ts'
import type { LocalConfig, ProviderConfig } from './resolved-config.ts'
import { parseDuration } from './units.ts'

type Providers = Read<ReturnType<typeof providersKind>>
type Written = Providers extends ReadonlyMap<string, infer T> ? T : never
type LocalFields = Pick<Written, 'dir' | 'context_size' | 'threads' | 'gpu' | 'idle_unload' | 'max_loaded'>

export const LOCAL_DEFAULTS = { contextSize: 8192, idleUnload: '10m', maxLoaded: 1 } as const

const NOTHING: LocalFields = {
  dir: null,
  context_size: null,
  threads: null,
  gpu: null,
  idle_unload: null,
  max_loaded: null,
}

export const localConfig = (written: LocalFields, modelsDir: string): LocalConfig => ({
  dir: written.dir ?? modelsDir,
  contextSize: written.context_size ?? LOCAL_DEFAULTS.contextSize,
  threads: written.threads,
  gpu: written.gpu ?? 'auto',
  idleUnloadMs: written.idle_unload ?? parseDuration(LOCAL_DEFAULTS.idleUnload) ?? 0,
  maxLoaded: written.max_loaded ?? LOCAL_DEFAULTS.maxLoaded,
})

export const hasLocalFields = (written: LocalFields): boolean =>
  [written.dir, written.context_size, written.threads, written.gpu, written.idle_unload, written.max_loaded].some(
    (value) => value !== null,
  )

/** The one that nobody has to write. */
export const localProvider = ({
  modelsDir,
  timeoutMs,
}: {
  readonly modelsDir: string
  readonly timeoutMs: number
}): ProviderConfig => ({
  name: LOCAL,
  type: LOCAL,
  apiBase: '',
  apiKey: null,
  headers: {},
  timeoutMs,
  wireApi: 'chat',
  apiVersion: null,
  hostedTools: [],
  quirks: {},
  priceList: 'none',
  source: modelsDir,
  local: localConfig(NOTHING, modelsDir),
})
