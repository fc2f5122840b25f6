/** What is set for single projects. A project needs no record to exist: it begins with its first key. */
import type { projects as projectsKind } from './entities.ts'
import type { Read, ReadContext } from './kinds.ts'
import { projectIdOf } from './project-name.ts'
import type { ProjectConfig } from './resolved-config.ts'

/** By id; projects that are not named keep everything as `retention` says. */
export function resolveProjects(
  written: Read<ReturnType<typeof projectsKind>> | null,
  retentionMs: number,
  context: ReadContext,
): ReadonlyMap<string, ProjectConfig> {
  const projects = new Map<string, ProjectConfig>()
  for (const [name, { zero_retention, retention, place }] of written ?? []) {
    const zeroRetention = zero_retention ?? false
    if (zeroRetention && retention !== null)
      context.error(place, `the project "${name}" has zero_retention: nothing is stored that "retention" could keep`)
    projects.set(projectIdOf(name), { zeroRetention, retentionMs: retention ?? retentionMs })
  }
  return projects
}
