/** What a model is told of what ran in a container: its output, as far as it is shown, and the files it made, with marks. */
import { CONTAINER_FOLDER, type ContainerFile, type SeedFile } from '../containers.ts'
import type { ToolContext } from '../tool.ts'

export type CitedFile = ContainerFile & { readonly mark: string }

/** Of a long output the model sees both ends. Characters. */
const HEAD_CHARS = 12_000
const TAIL_CHARS = 8_000
const MAX_SHOWN_FILES = 50

/** So that a model need not look first. */
export const tellSeeds = (seeds: readonly SeedFile[]): string =>
  seeds.length === 0 ? '' : ` These files are there: ${seeds.map(({ path }) => JSON.stringify(path)).join(', ')}.`

export const citeFiles = (files: readonly ContainerFile[], context: ToolContext): readonly CitedFile[] =>
  files.map((file) => ({
    ...file,
    mark: context.cite({
      type: 'container-file',
      containerId: file.containerId,
      fileId: file.id,
      filename: file.path.split('/').at(-1) ?? file.path,
      path: file.path,
    }),
  }))

export function tellFiles(files: readonly CitedFile[]): readonly string[] {
  if (files.length === 0) return []
  const told = files
    .slice(0, MAX_SHOWN_FILES)
    .map(({ path, bytes, mark }) => `- ${CONTAINER_FOLDER}/${withoutMarks(path)} (${bytes} bytes) ${mark}`)
  const more = files.length > MAX_SHOWN_FILES ? [`- and ${files.length - MAX_SHOWN_FILES} more`] : []
  return ['Files made or changed; where you speak of one, write its mark right after its name:', ...told, ...more]
}

export function shortened(text: string): string {
  if (text.length <= HEAD_CHARS + TAIL_CHARS) return text
  const left = text.length - HEAD_CHARS - TAIL_CHARS
  const [head, tail] = [text.slice(0, HEAD_CHARS), text.slice(-TAIL_CHARS)]
  return `${head.toWellFormed()}\n[${left} characters are left out]\n${tail.toWellFormed()}`
}

/** Only the server writes marks of citations. */
export const withoutMarks = (text: string): string => text.replaceAll('【', '[').replaceAll('】', ']')
