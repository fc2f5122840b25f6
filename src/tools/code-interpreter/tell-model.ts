/** What a run gave: as the logs of its item, and as the model is told. Code prints what strangers wrote; it is marked so. */
import { CONTAINER_FOLDER, type CodeResult, type CodeStatus, type ContainerFile } from '../containers.ts'
import { markForeign, type ToolOutput } from '../tool.ts'

export type CitedFile = ContainerFile & { readonly mark: string }

/** Of a long output the model sees both ends. Characters. */
const HEAD_CHARS = 12_000
const TAIL_CHARS = 8_000
const MAX_SHOWN_FILES = 50
const MAX_SHOWN_IMAGES = 4

const ENDED: Readonly<Record<Exclude<CodeStatus, 'ok' | 'error'>, string>> = {
  interrupted: 'The code was interrupted.',
  timeout: 'The code ran longer than allowed and was stopped.',
  cpu: 'The code used more processor time than allowed and was stopped.',
  memory: 'The code used more memory than allowed and was stopped.',
  files: 'The code made more files than allowed and was stopped.',
  exited: 'The Python process ended.',
}

/** A traceback is a result like another; what a limit ended is a failure. */
export const isFailure = ({ status }: CodeResult): boolean => status !== 'ok' && status !== 'error'

/** What happened to the run, besides what it printed. */
function notesOf({ status, exitCode, isCut, isStateLost, isNew }: CodeResult): readonly string[] {
  return [
    ...(isNew ? ['The container had ended and began anew: earlier files and variables are gone.'] : []),
    ...(status === 'ok' || status === 'error' ? [] : [ENDED[status]]),
    ...(status === 'exited' && exitCode !== null ? [`Its exit code was ${exitCode}.`] : []),
    ...(isStateLost ? ['Variables of earlier calls are gone; files are still there.'] : []),
    ...(isCut ? ['The output was longer than is kept; the rest of it is lost.'] : []),
  ]
}

export const logsOf = (result: CodeResult): string =>
  [joined(result), ...notesOf(result).map((note) => `[${note}]`)].filter((part) => part !== '').join('\n')

const joined = ({ stdout, stderr }: CodeResult): string =>
  [stdout, stderr].filter((part) => part !== '').join(stdout.endsWith('\n') ? '' : '\n')

export function tellModel(result: CodeResult, files: readonly CitedFile[], seesImages: boolean): ToolOutput {
  const said = joined(result)
  const images = seesImages ? result.images.slice(0, MAX_SHOWN_IMAGES) : []
  const text = [
    ...notesOf(result),
    said.trim() === '' ? 'The code printed nothing.' : markForeign('the code', withoutMarks(shortened(said))),
    ...filesTold(files),
  ].join('\n')
  if (images.length === 0) return text
  return [
    { type: 'input_text', text },
    ...images.map((png) => ({
      type: 'input_image' as const,
      image_url: toDataUrl(png),
      detail: 'auto' as const,
    })),
  ]
}

export const toDataUrl = (png: Uint8Array): string => `data:image/png;base64,${Buffer.from(png).toString('base64')}`

function filesTold(files: readonly CitedFile[]): readonly string[] {
  if (files.length === 0) return []
  const told = files
    .slice(0, MAX_SHOWN_FILES)
    .map(({ path, bytes, mark }) => `- ${CONTAINER_FOLDER}/${withoutMarks(path)} (${bytes} bytes) ${mark}`)
  const more = files.length > MAX_SHOWN_FILES ? [`- and ${files.length - MAX_SHOWN_FILES} more`] : []
  return ['Files made or changed; where you speak of one, write its mark right after its name:', ...told, ...more]
}

function shortened(text: string): string {
  if (text.length <= HEAD_CHARS + TAIL_CHARS) return text
  const left = text.length - HEAD_CHARS - TAIL_CHARS
  const [head, tail] = [text.slice(0, HEAD_CHARS), text.slice(-TAIL_CHARS)]
  return `${head.toWellFormed()}\n[${left} characters are left out]\n${tail.toWellFormed()}`
}

/** Only the server writes marks of citations. */
const withoutMarks = (text: string): string => text.replaceAll('【', '[').replaceAll('】', ']')
