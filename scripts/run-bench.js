/** Runs the benchmarks: `bench/main.ts`, or those of `--adapters`, `--sandbox`, `--retrieval` and `--durable`, with the arguments passed on. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './paths.js'

export function run(args) {
  const other = ['adapters', 'sandbox', 'retrieval', 'durable'].find((name) => args.includes(`--${name}`))
  const entry = join(ROOT, 'bench', `${other ?? 'main'}.ts`)
  if (!existsSync(entry)) {
    console.error('there is no bench/main.ts to run')
    return 2
  }
  const flags = ['--disable-warning=ExperimentalWarning']
  return spawnSync(process.execPath, [...flags, entry, ...args], { cwd: ROOT, stdio: 'inherit' }).status ?? 1
}
