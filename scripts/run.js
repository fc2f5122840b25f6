/**
 * The project's own tasks: `node scripts/run.js test | check | bench | build | docs [arguments]`.
 *
 * Invariant: everything runs on the pinned Node, whatever `node` the machine has. This file itself must therefore
 * start on Node 20; it goes on only after it has handed over to a Node that is new enough.
 */
import { spawnSync } from 'node:child_process'
import { findNode, isNewEnough, noNodeMessage } from '../bin/find-node.js'

const TASKS = {
  test: () => import('./run-tests.js'),
  check: () => import('./run-checks.js'),
  bench: () => import('./run-bench.js'),
  build: () => import('./run-build.js'),
  docs: () => import('./run-docs.js'),
}

function handOver() {
  const node = findNode()
  if (node === null) {
    console.error(noNodeMessage)
    return 2
  }
  const flags = ['--disable-warning=ExperimentalWarning']
  return spawnSync(node, [...flags, ...process.argv.slice(1)], { stdio: 'inherit' }).status ?? 1
}

async function runTask([name = '', ...args]) {
  const load = Object.hasOwn(TASKS, name) ? TASKS[name] : undefined
  if (load === undefined) {
    console.error(`unknown task "${name}"; the tasks are ${Object.keys(TASKS).join(', ')}`)
    return 2
  }
  const { run } = await load()
  return run(args)
}

process.exitCode = isNewEnough(process.version) ? await runTask(process.argv.slice(2)) : handOver()
