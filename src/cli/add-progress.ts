/** How far a folder is on its way into a vector store: sent and ingested, in one line. */
import type { Output } from './host.ts'
import { barText, CLEAR_LINE, duration, SHOW_EVERY_MS } from './pull-progress.ts'

export type AddProgress = {
  readonly files: number
  readonly bytes: number
  readonly sentFiles: number
  readonly sentBytes: number
  /** Files that are searched, and files that never will be. */
  readonly ingested: number
  readonly failed: number
}

const MEGABYTE = 1024 * 1024

export function createAddProgress(output: Output, now: () => number) {
  const begun = now()
  const everyMs = output.isTerminal ? SHOW_EVERY_MS.terminal : SHOW_EVERY_MS.plain
  let shownAt = Number.NEGATIVE_INFINITY
  return {
    show(progress: AddProgress): void {
      const at = now()
      if (at - shownAt < everyMs && shareOf(progress) < 1) return
      shownAt = at
      const text = progressText(progress, at - begun)
      output.write(output.isTerminal ? `${CLEAR_LINE}${text}` : `${text}\n`)
    },
    end(): void {
      if (output.isTerminal && shownAt !== Number.NEGATIVE_INFINITY) output.write('\n')
    },
  }
}

/** To be sent is half of the way, to be ingested the other half. */
const shareOf = ({ files, bytes, sentFiles, sentBytes, ingested, failed }: AddProgress): number =>
  ((bytes === 0 ? sentFiles / files : sentBytes / bytes) + (ingested + failed) / files) / 2

export function progressText(progress: AddProgress, elapsedMs: number): string {
  const { files, bytes, sentFiles, sentBytes, ingested, failed } = progress
  const share = shareOf(progress)
  const megabytes = (count: number) => (count / MEGABYTE).toFixed(1)
  const left = share > 0 && share < 1 ? `  ETA ${duration((elapsedMs * (1 - share)) / share / 1000)}` : ''
  const bad = failed === 0 ? '' : `, ${failed} failed`
  return (
    `${barText(share)}  ${sentFiles}/${files} files, ${megabytes(sentBytes)}/${megabytes(bytes)} MB sent, ` +
    `${ingested} ingested${bad}${left}`
  )
}
