import { spawnSync } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('..', import.meta.url))

/**
 * Runs a tool of `node_modules/.bin`. That folder comes first in its PATH and holds the pinned `node`, so the tool's
 * own `#!/usr/bin/env node` finds the right one.
 */
export function runTool(command, args, stdio = 'pipe') {
  const path = `${join(ROOT, 'node_modules', '.bin')}${delimiter}${process.env.PATH ?? ''}`
  return spawnSync(command, args, {
    cwd: ROOT,
    stdio,
    encoding: 'utf8',
    env: { ...process.env, PATH: path },
    shell: process.platform === 'win32',
  })
}
