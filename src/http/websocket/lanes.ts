/**
 * When the messages of one socket run: those of one lane one after the other, in the order they came; lanes beside each
 * other. What is over a limit is refused, never kept waiting unseen.
 */
import { ApiError } from '../../protocol/errors.ts'
import type { HttpLimits } from '../limits.ts'
import type { LaneName } from './read-message.ts'

export type Lanes<Job extends LaneJob> = {
  /** Runs the job now or when its turn comes. Throws `ApiError` when there is no room for it. */
  push(job: Job): void
  /** Forgets what still waits. */
  clear(): void
  isIdle(): boolean
}

type LaneJob = { readonly lane: LaneName; readonly bytes: number }
type Lane<Job> = { readonly waiting: Job[]; busy: boolean }

type LaneOptions<Job> = {
  readonly limits: Pick<HttpLimits, 'webSocketRuns' | 'webSocketLanes' | 'webSocketQueue' | 'webSocketQueueBytes'>
  /** Never rejects. */
  readonly run: (job: Job) => Promise<void>
  /** Called when the last job is done and none waits. */
  readonly onIdle: () => void
}

export function createLanes<Job extends LaneJob>({ limits, run, onIdle }: LaneOptions<Job>): Lanes<Job> {
  const lanes = new Map<LaneName, Lane<Job>>([[null, { waiting: [], busy: false }]])
  let running = 0
  let waiting = 0
  let waitingBytes = 0

  const work = async (lane: Lane<Job>, first: Job) => {
    lane.busy = true
    running++
    for (let job: Job | undefined = first; job !== undefined; job = take(lane)) await run(job)
    lane.busy = false
    running--
    if (running === 0) onIdle()
  }
  const take = (lane: Lane<Job>): Job | undefined => {
    const job = lane.waiting.shift()
    if (job !== undefined) {
      waiting--
      waitingBytes -= job.bytes
    }
    return job
  }
  const enqueue = (lane: Lane<Job>, job: Job) => {
    const fits = waiting < limits.webSocketQueue && waitingBytes + job.bytes <= limits.webSocketQueueBytes
    if (!fits) throw queueFull(limits)
    lane.waiting.push(job)
    waiting++
    waitingBytes += job.bytes
  }
  const open = (name: LaneName): Lane<Job> => {
    // The one without a name is not counted.
    if (lanes.size > limits.webSocketLanes) throw tooManyLanes(limits.webSocketLanes)
    const lane: Lane<Job> = { waiting: [], busy: false }
    lanes.set(name, lane)
    return lane
  }
  return {
    push(job) {
      const known = lanes.get(job.lane)
      if (known?.busy) return enqueue(known, job)
      if (running >= limits.webSocketRuns) throw tooManyRuns(limits.webSocketRuns)
      void work(known ?? open(job.lane), job)
    },
    clear() {
      for (const lane of lanes.values()) lane.waiting.length = 0
      waiting = 0
      waitingBytes = 0
    },
    isIdle: () => running === 0,
  }
}

const limitReached = (status: number, message: string) =>
  new ApiError({ status, param: 'stream_id', code: 'websocket_stream_limit_reached', message })

const tooManyLanes = (max: number) =>
  limitReached(400, `This WebSocket has ${max} named streams already. Use one of them, or open another WebSocket.`)

const tooManyRuns = (max: number) =>
  limitReached(429, `This WebSocket runs ${max} responses already. Wait for one to end and send the message again.`)

const queueFull = ({ webSocketQueue, webSocketQueueBytes }: LaneOptions<unknown>['limits']) =>
  limitReached(
    429,
    `Too much is waiting on this WebSocket: at most ${webSocketQueue} messages and ${webSocketQueueBytes} bytes. Wait ` +
      'for a response to end and send the message again.',
  )
