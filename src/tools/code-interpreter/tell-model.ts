/** What a run gave: as the logs of its item, and as the model is told. Code prints what strangers wrote; it is marked so. */
import type { CodeResult, CodeStatus } from '../containers.ts'
import { type CitedFile, shortened, tellFiles, withoutMarks } from '../in-container/tell-files.ts'
import { markForeign, type ToolOutput } from '../tool.ts'

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
    ...tellFiles(files),
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
