/** Finds and reads the configuration file. */
import { existsSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import type { ConfigSources } from './config-sources.ts'
import { type Problem, type SourceNode, wholeSource } from './source-node.ts'

const FILE_NAME = 'antiphon.yaml'
const MAX_FILE_BYTES = 1024 * 1024

/**
 * `--config`, else `ANTIPHON_CONFIG`, else `antiphon.yaml` in the working directory, else in the data directory;
 * null when there is none. One that was asked for must exist.
 */
export function findConfigFile(sources: ConfigSources, problems: Problem[]): string | null {
  const { file, env, cwd } = sources
  const chosen = file ?? (env.ANTIPHON_CONFIG || null)
  if (chosen === null) {
    return [join(cwd, FILE_NAME), join(dataDirOf(sources), FILE_NAME)].find((path) => existsSync(path)) ?? null
  }
  const path = resolve(cwd, chosen)
  if (existsSync(path)) return path
  const place = wholeSource(file === null ? 'ANTIPHON_CONFIG' : '--config')
  problems.push({ place, message: `there is no file ${path}`, severity: 'error' })
  return null
}

/** The data directory as far as it is known without a file. */
function dataDirOf({ flags, env, cwd, home }: ConfigSources): string {
  const flag = flags.get('storage.data_dir')?.value
  const written = flag ?? (env.ANTIPHON_STORAGE__DATA_DIR || env.ANTIPHON_DATA_DIR || '~/.antiphon')
  return written.startsWith('~/') ? join(home, written.slice(2)) : resolve(cwd, written)
}

/** The file's contents; null when it is empty or unreadable, which is then a problem. */
export async function readConfigFile(path: string, problems: Problem[]): Promise<SourceNode | null> {
  const source = basename(path)
  const text = readText(path, source, problems)
  if (text === null) return null
  // Loaded only here: most starts have no file, and the parser costs a tenth of the start.
  const { readYaml } = await import('./yaml-source.ts')
  const yaml = readYaml(text, source)
  problems.push(...yaml.problems)
  return yaml.root
}

function readText(path: string, source: string, problems: Problem[]): string | null {
  try {
    const text = readFileSync(path, 'utf8')
    if (text.length <= MAX_FILE_BYTES) return text
    problems.push({ place: wholeSource(source), message: 'is larger than 1 MB', severity: 'error' })
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    problems.push({ place: wholeSource(source), message: `cannot be read (${reason})`, severity: 'error' })
  }
  return null
}
