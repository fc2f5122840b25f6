/** A configuration file as the server reads it, in a home of its own, with nothing in the environment. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { resolveConfig } from '../../src/config/resolve-config.ts'
import type { ResolvedConfig } from '../../src/config/resolved-config.ts'

/** What the file gives, or the faults that are told. */
export async function resolveYaml(
  yaml: string,
): Promise<{ readonly config: ResolvedConfig | null; readonly faults: readonly string[] }> {
  const home = await mkdtemp(join(tmpdir(), 'antiphon-config-'))
  const file = join(home, 'antiphon.yaml')
  await writeFile(file, `discovery: { enabled: false }\n${yaml}\n`)
  const providers = { known: [], quirks: [] }
  const resolved = await resolveConfig({ flags: new Map(), file, noAuth: false, env: {}, providers, cwd: home, home })
  await rm(home, { recursive: true })
  return resolved.type === 'config'
    ? { config: resolved.config, faults: [] }
    : { config: null, faults: resolved.problems.map(({ message }) => message) }
}
