/** What a process tree has used, from /proc: threads' CPU time to the nanosecond, and resident memory. Linux only. */
import { readdirSync, readFileSync } from 'node:fs'

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // The process or thread has ended meanwhile.
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

/** The process and all below it. */
export function processTree(pid: number): number[] {
  const children = list(`/proc/${pid}/task`).flatMap((thread) =>
    read(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number),
  )
  return [pid, ...children.flatMap(processTree)]
}

export function cpuMicros(pid: number): number {
  let nanoseconds = 0
  for (const process of processTree(pid)) {
    for (const thread of list(`/proc/${process}/task`)) {
      nanoseconds += Number(read(`/proc/${process}/task/${thread}/schedstat`).split(' ', 1)[0] ?? 0)
    }
  }
  return nanoseconds / 1000
}

export function residentKib(pid: number): number {
  return processTree(pid).reduce((sum, process) => {
    return sum + Number(/^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${process}/status`))?.[1] ?? 0)
  }, 0)
}
