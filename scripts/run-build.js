/** Compiles `src` to `dist` for the published package: Node does not strip types below `node_modules`. */
import { cpSync, globSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, runTool } from './paths.js'

/** Files that the code reads beside itself. */
const ASSETS = ['**/*.json', '**/*.sql', '**/*.py', '**/*.mjs']

export function run() {
  const [source, target] = [join(ROOT, 'src'), join(ROOT, 'dist')]
  rmSync(target, { recursive: true, force: true })
  const { status } = runTool('tsc', ['-p', 'tsconfig.build.json'], 'inherit')
  if (status !== 0) return status ?? 1
  for (const path of globSync(ASSETS, { cwd: source })) cpSync(join(source, path), join(target, path))
  return 0
}
