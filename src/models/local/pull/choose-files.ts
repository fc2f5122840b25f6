/** Which files of a repository make the model that was asked for. */
import { PullFailed } from './pull-source.ts'

export type HubFile = {
  readonly path: string
  /** Bytes. */
  readonly size: number
  /** Of its content; null where the hub knows none. */
  readonly sha256: string | null
}

/** Quantisations in the order of preference: good answers in a memory that people have. */
const PREFERRED = ['Q4_K_M', 'Q5_K_M', 'Q4_K_S', 'Q4_0', 'Q5_K_S', 'Q6_K', 'Q8_0', 'Q3_K_M', 'MXFP4', 'F16', 'BF16']
const PART = /-(\d{5})-of-(\d{5})\.gguf$/
/** Not models: the eyes of a model, and what quantisers measured. */
const NO_MODEL = /(^|\/)(mmproj|imatrix)/i
const MAX_SHOWN = 12

/** All parts of one model, in their order. Throws `PullFailed` with the names there are. */
export function chooseFiles(files: readonly HubFile[], choice: string | null): readonly HubFile[] {
  const models = files.filter(({ path }) => path.endsWith('.gguf') && !NO_MODEL.test(path))
  if (models.length === 0)
    throw new PullFailed('the repository has no GGUF files; look for one whose name ends in -GGUF')
  const chosen = choice === null ? preferred(models) : named(models, choice)
  if (chosen === null) {
    const shown = [...new Set(models.map(({ path }) => path.replace(PART, '.gguf')))]
    const more = shown.length > MAX_SHOWN ? `, and ${shown.length - MAX_SHOWN} more` : ''
    const why = choice === null ? 'say which file' : `there is no "${choice}"`
    throw new PullFailed(`${why}; the repository has ${shown.slice(0, MAX_SHOWN).join(', ')}${more}`)
  }
  return partsOf(chosen, models)
}

function preferred(models: readonly HubFile[]): HubFile | null {
  for (const quantisation of PREFERRED) {
    const found = firstWith(models, quantisation)
    if (found !== null) return found
  }
  const wholes = models.filter(({ path }) => (PART.exec(path)?.[1] ?? '00001') === '00001')
  return wholes.length === 1 ? (wholes[0] ?? null) : null
}

const named = (models: readonly HubFile[], choice: string): HubFile | null =>
  models.find(({ path }) => path === choice || path === `${choice}.gguf`) ??
  models.find(({ path }) => path.replace(PART, '.gguf') === choice) ??
  firstWith(models, choice)

/** The quantisation stands in the name as a word of its own: `Q4_K` is not `Q4_K_M`. */
function firstWith(models: readonly HubFile[], quantisation: string): HubFile | null {
  const word = quantisation.toLowerCase()
  const has = ({ path }: HubFile) => path.toLowerCase().split(/[./-]/).includes(word)
  return models.filter(has).sort((a, b) => a.path.localeCompare(b.path))[0] ?? null
}

function partsOf(chosen: HubFile, models: readonly HubFile[]): readonly HubFile[] {
  const count = PART.exec(chosen.path)?.[2]
  if (count === undefined) return [chosen]
  const stem = chosen.path.replace(PART, '')
  const parts = models
    .filter(({ path }) => path.startsWith(stem) && path.replace(PART, '') === stem)
    .sort((a, b) => a.path.localeCompare(b.path))
  if (parts.length === Number(count)) return parts
  throw new PullFailed(`the repository has ${parts.length} of the ${Number(count)} parts of ${stem}`)
}
