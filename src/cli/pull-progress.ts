/** How far a download, or a move of rows, is: one line that changes on a terminal, a plain line now and then elsewhere. */
import type { Output } from './host.ts'

const BAR_CELLS = 24
/** Between two lines, on a terminal and elsewhere. */
export const SHOW_EVERY_MS = { terminal: 200, plain: 10_000 } as const
/** The speed is that of the last so many milliseconds, so that it tells of now. */
const SPEED_WINDOW_MS = 10_000
/** What is counted, and how it is shown. */
export type ProgressUnit = { readonly size: number; readonly digits: number; readonly name: string }
const MEGABYTES: ProgressUnit = { size: 1024 * 1024, digits: 1, name: 'MB' }
export const ROWS: ProgressUnit = { size: 1, digits: 0, name: 'rows' }
export const CLEAR_LINE = '\r\u001b[K'

export type Progress = { readonly file: string; readonly done: number; readonly total: number | null }
export type PullProgressView = { show(progress: Progress): void; end(): void }

type Sample = { readonly at: number; readonly done: number }

export function createPullProgress(output: Output, now: () => number, unit = MEGABYTES): PullProgressView {
  const everyMs = output.isTerminal ? SHOW_EVERY_MS.terminal : SHOW_EVERY_MS.plain
  let file = ''
  let samples: Sample[] = []
  let shownAt = Number.NEGATIVE_INFINITY

  const write = (progress: Progress) => {
    const text = progressText(progress, speedOf(samples), unit)
    output.write(output.isTerminal ? `${CLEAR_LINE}${text}` : `${text}\n`)
  }
  return {
    show(progress) {
      const at = now()
      if (progress.file !== file) {
        if (file !== '' && output.isTerminal) output.write('\n')
        ;({ file } = progress)
        samples = []
        shownAt = Number.NEGATIVE_INFINITY
      }
      samples = [...samples.filter((sample) => at - sample.at < SPEED_WINDOW_MS), { at, done: progress.done }]
      if (at - shownAt < everyMs && progress.done !== progress.total) return
      shownAt = at
      write(progress)
    },
    end() {
      if (file !== '' && output.isTerminal) output.write('\n')
    },
  }
}

/** Per second; null before there are two points in time. */
function speedOf(samples: readonly Sample[]): number | null {
  const [first, last] = [samples[0], samples.at(-1)]
  if (first === undefined || last === undefined || last.at === first.at) return null
  return ((last.done - first.done) * 1000) / (last.at - first.at)
}

function progressText({ file, done, total }: Progress, speed: number | null, unit: ProgressUnit): string {
  const show = (count: number) => (count / unit.size).toFixed(unit.digits)
  const rate = speed === null ? '' : `  ${show(speed)} ${unit.name}/s`
  if (total === null) return `${file}  ${show(done)} ${unit.name}${rate}`
  const share = total === 0 ? 1 : done / total
  const left = speed === null || speed <= 0 || done === total ? '' : `  ETA ${duration((total - done) / speed)}`
  return `${file}  ${barText(share)}  ${show(done)}/${show(total)} ${unit.name}${rate}${left}`
}

/** `share`: from 0 to 1. */
export function barText(share: number): string {
  const cells = Math.floor(share * BAR_CELLS)
  return `[${'#'.repeat(cells)}${'-'.repeat(BAR_CELLS - cells)}] ${`${Math.floor(share * 100)}%`.padStart(4)}`
}

export function duration(seconds: number): string {
  const whole = Math.ceil(seconds)
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60]
  return h > 0 ? `${h}h${String(m).padStart(2, '0')}m` : `${m}m${String(s).padStart(2, '0')}s`
}
