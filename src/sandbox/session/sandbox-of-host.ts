/** A sandbox out of whatever starts containers: its sessions, and their end when it closes. */
import type { Clock } from '../../lib/clock.ts'
import type { Sandbox, SandboxSession, SandboxTraits, SessionLimits } from '../sandbox.ts'
import type { Channel } from './channel.ts'
import { openSession } from './session.ts'

export interface ContainerHost {
  readonly name: string
  traits(): Promise<SandboxTraits>
  /** Starts one. Throws `SandboxUnavailable` or `SandboxError`. */
  launch(limits: SessionLimits, signal: AbortSignal): Promise<Channel>
}

export function sandboxOf(host: ContainerHost, clock: Clock): Sandbox {
  const open = new Set<SandboxSession>()
  return {
    name: host.name,
    traits: host.traits,
    async open(limits, signal) {
      const channel = await host.launch(limits, signal)
      const session = await openSession({ channel, clock, limits })
      open.add(session)
      void session.ended.then(() => open.delete(session))
      return session
    },
    async close() {
      const ended = [...open].map((session) => {
        session.close()
        return session.ended
      })
      await Promise.all(ended)
    },
  }
}
