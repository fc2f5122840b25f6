/** The memory of processes that another one starts and ends, seen from outside. */
import { readdirSync, readFileSync } from 'node:fs'

const LOOK_MS = 5

export interface PeakWatch {
  /** Most that any child had resident at once (its `VmHWM`), in bytes; 0 where the system does not tell. */
  stop(): number
}

/** Of the children of that process, each by itself. */
export function watchChildren(pid: number): PeakWatch {
  let peak = 0
  const timer = setInterval(() => {
    for (const child of childrenOf(pid)) peak = Math.max(peak, peakOf(child))
  }, LOOK_MS)
  return {
    stop() {
      clearInterval(timer)
      return peak
    },
  }
}

function childrenOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')
        .split(' ')
        .filter((child) => child !== ''),
    )
  } catch {
    // It has ended, or this is no Linux.
    return []
  }
}

function peakOf(pid: string): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}
