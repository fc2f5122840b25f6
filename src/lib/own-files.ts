/**
 * Where the files of this program are. A checkout holds each beside the source that names it; a build (`npm run build`) has
 * all of its modules in one folder, compiled to JavaScript.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const IS_SOURCE = import.meta.url.endsWith('.ts')

/**
 * A module that is started as a thread or a process of its own. `base` is the `import.meta.url` of the module that names it
 * and, in a checkout, lies in the same folder.
 */
export const ownModule = (name: string, base: string): URL => new URL(`./${name}${IS_SOURCE ? '.ts' : '.js'}`, base)

/** The folder with `package.json`, ending in a separator. */
export const PROGRAM_ROOT = fileURLToPath(new URL(IS_SOURCE ? '../../' : '../', import.meta.url))

export const PROGRAM_VERSION = readVersion()

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(PROGRAM_ROOT, 'package.json'), 'utf8'))
  const known = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return known ? String(manifest.version) : 'unknown'
}
