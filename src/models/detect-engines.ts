/**
 * Finds model engines on this machine by their usual ports: all at once, within a third of a second, and without ever
 * sending a key. A port tells nothing about who listens, so an engine counts only when it answers as itself.
 */
import type { Dispatcher } from 'undici'
import type { Clock } from '../lib/clock.ts'
import { createUpstreamAgent } from '../lib/upstream-http.ts'
import { fetchJson } from './fetch-json.ts'
import { isObject, listIn, textIn } from './json-fields.ts'
import { ModelError } from './model.ts'
import { type ListedModel, readModelList, readOllamaTags } from './read-model-list.ts'

/** For one engine, all its questions together. */
export const DETECT_TIMEOUT_MS = 300
const MAX_ANSWER_BYTES = 4 * 1024 * 1024

export type EngineName = 'ollama' | 'lmstudio' | 'vllm' | 'llamacpp' | 'sglang'

/** Where to look. `root` has no version segment and no slash at its end. */
export type EnginePlace = { readonly name: EngineName; readonly root: string }

export type DetectedEngine = {
  readonly name: EngineName
  /** Up to and including the version segment. */
  readonly baseUrl: string
  readonly models: readonly ListedModel[]
  /** It is there, but tells its models only to those with a key. */
  readonly needsKey: boolean
}

export const DEFAULT_ENGINE_PLACES: readonly EnginePlace[] = [
  { name: 'ollama', root: 'http://127.0.0.1:11434' },
  { name: 'lmstudio', root: 'http://127.0.0.1:1234' },
  { name: 'vllm', root: 'http://127.0.0.1:8000' },
  { name: 'llamacpp', root: 'http://127.0.0.1:8080' },
  { name: 'sglang', root: 'http://127.0.0.1:30000' },
]

/** Never rejects: what does not answer, or not as an engine, is not there. In the order of `places`. */
export async function detectEngines(options: {
  readonly places: readonly EnginePlace[]
  readonly clock: Clock
  readonly timeoutMs?: number
}): Promise<readonly DetectedEngine[]> {
  const { places, clock, timeoutMs = DETECT_TIMEOUT_MS } = options
  const dispatcher = createUpstreamAgent({ connectMs: timeoutMs })
  try {
    const found = await Promise.all(places.map((place) => detect(place, { clock, timeoutMs, dispatcher })))
    return found.filter((engine) => engine !== null)
  } finally {
    await dispatcher.destroy()
  }
}

type Asking = { readonly clock: Clock; readonly timeoutMs: number; readonly dispatcher: Dispatcher }
type Ask = (path: string) => Promise<unknown>
/** The models of the engine; null when somebody else listens there. */
type Probe = (ask: Ask) => Promise<readonly ListedModel[] | null>

const NEEDS_KEY = 'needs-key'

async function detect(place: EnginePlace, asking: Asking): Promise<DetectedEngine | null> {
  const deadline = asking.clock.monotonic() + asking.timeoutMs
  const ask: Ask = (path) => {
    const timeoutMs = Math.max(1, deadline - asking.clock.monotonic())
    return fetchJson({ ...asking, timeoutMs, url: `${place.root}${path}`, maxBytes: MAX_ANSWER_BYTES })
  }
  try {
    const models = await PROBES[place.name](ask)
    if (models === null) return null
    const baseUrl = `${place.root}/v1`
    if (models === NEEDS_KEY) return { name: place.name, baseUrl, models: [], needsKey: true }
    return { name: place.name, baseUrl, models, needsKey: false }
  } catch {
    return null
  }
}

const PROBES: Readonly<Record<EngineName, (ask: Ask) => Promise<readonly ListedModel[] | typeof NEEDS_KEY | null>>> = {
  async ollama(ask) {
    if (textIn(await ask('/api/version'), 'version') === null) return null
    return orNeedsKey(async () => readOllamaTags(await ask('/api/tags')))
  },
  async lmstudio(ask) {
    const list = await ask('/api/v0/models')
    return isObject(list) && Array.isArray(list.data) ? readModelList(list) : null
  },
  async vllm(ask) {
    if (textIn(await ask('/version'), 'version') === null) return null
    return orNeedsKey(() => listedBy(ask, 'vllm'))
  },
  async llamacpp(ask) {
    const props = await ask('/props')
    if (!isObject(props) || !isObject(props.default_generation_settings)) return null
    return orNeedsKey(async () => readModelList(await ask('/v1/models')))
  },
  async sglang(ask) {
    const info = await ask('/get_model_info').catch(() => null)
    if (textIn(info, 'model_path') === null) return listedBy(ask, 'sglang')
    return orNeedsKey(async () => readModelList(await ask('/v1/models')))
  },
}

/** The engine has shown itself; a refusal now is about its key. */
async function orNeedsKey(probe: () => ReturnType<Probe>): Promise<readonly ListedModel[] | typeof NEEDS_KEY | null> {
  try {
    return await probe()
  } catch (error) {
    if (error instanceof ModelError && error.kind === 'auth') return NEEDS_KEY
    throw error
  }
}

/** The list of `/v1/models`, when its rows are signed by the engine. */
async function listedBy(ask: Ask, owner: string): ReturnType<Probe> {
  const list = await ask('/v1/models')
  return listIn(list, 'data').some((row) => textIn(row, 'owned_by') === owner) ? readModelList(list) : null
}
