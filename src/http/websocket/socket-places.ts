/** How many WebSockets a project has open; more are refused at the upgrade. */
import { ApiError } from '../../protocol/errors.ts'
import type { HttpLimits } from '../limits.ts'

export type SocketPlaces = {
  /** Throws `ApiError` 429. The returned function gives the place back; it is called once. */
  take(projectId: string): () => void
}

export function createSocketPlaces({ webSocketsPerProject: max }: Pick<HttpLimits, 'webSocketsPerProject'>) {
  const open = new Map<string, number>()
  const places: SocketPlaces = {
    take(projectId) {
      const count = open.get(projectId) ?? 0
      if (count >= max) throw tooMany(max)
      open.set(projectId, count + 1)
      return () => {
        const left = (open.get(projectId) ?? 1) - 1
        if (left > 0) open.set(projectId, left)
        else open.delete(projectId)
      }
    },
  }
  return places
}

const tooMany = (max: number) =>
  new ApiError({
    status: 429,
    type: 'requests',
    code: 'rate_limit_exceeded',
    message: `This project has ${max} WebSockets open already. Close one, or send POST /v1/responses.`,
    headers: { 'retry-after': '1' },
  })
