import type { Import } from './imports.ts'

/** Every import that closes a cycle, shown as the whole way round; each such import once. */
export function findCycles(imports: readonly Import[]): string[] {
  const edges = new Map<string, Set<string>>()
  for (const { from, target } of imports) {
    if (target !== null) edges.set(from, (edges.get(from) ?? new Set()).add(target))
  }
  const finished = new Set<string>()
  return [...edges.keys()].sort().flatMap((start) => walk(start, edges, finished, []))
}

/** Depth first. Invariant: `path` is the chain of files being visited, so meeting one of them again closes a cycle. */
function walk(
  file: string,
  edges: ReadonlyMap<string, ReadonlySet<string>>,
  finished: Set<string>,
  path: readonly string[],
): string[] {
  const seenAt = path.indexOf(file)
  if (seenAt !== -1) return [[...path.slice(seenAt), file].join(' -> ')]
  if (finished.has(file)) return []
  const cycles = [...(edges.get(file) ?? [])].flatMap((next) => walk(next, edges, finished, [...path, file]))
  finished.add(file)
  return cycles
}
