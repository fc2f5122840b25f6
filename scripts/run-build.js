/**
 * Bundles `src` to `dist`: compiled, because Node does not strip types below `node_modules`, and in a few files, because
 * loading each module by itself is half of what a start costs.
 *
 * All modules land in one folder, so that `./NAME.js` and `./python/NAME.py` are found from wherever the code that names
 * them went (`src/lib/own-files.ts`). The packages stay where they are.
 */
import { cpSync, globSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { stampOf, TEST_FILE } from '../bin/find-entry.js'
import { ROOT } from './paths.js'

const SOURCE = join(ROOT, 'src')
const PROGRAM = 'main.ts'
/** What the sources start by its file: threads and processes. */
const STARTED = /\bownModule\('([\w-]+)'/g
/** Files that the code reads, each in a folder beside the module that names it. */
const ASSETS = '**/*.{json,sql,py,mjs}'
const OUT = '--out='
/** For `npm ci`, which may have left out what is for development: without a bundle the sources run. */
const IF_POSSIBLE = '--if-possible'

/** `args`: `--out=FOLDER` instead of `dist`, and `--if-possible`. Answers the exit code. */
export async function run(args) {
  const target = resolve(ROOT, args.find((arg) => arg.startsWith(OUT))?.slice(OUT.length) ?? 'dist')
  const bundler = await loadBundler()
  if (bundler === null) {
    console.error('no bundle was made, because esbuild is not installed: the sources run as they are')
    return args.includes(IF_POSSIBLE) ? 0 : 1
  }
  const folder = mkdtempSync(`${target}.`)
  try {
    const stamp = stampOf(SOURCE)
    await bundle(bundler, folder)
    copyAssets(folder)
    writeFileSync(join(folder, stamp.name), stamp.digest)
    // What is there whole is put in the place of the old one, which may be running.
    rmSync(target, { recursive: true, force: true })
    renameSync(folder, target)
    return 0
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    console.error(error instanceof Error ? error.message : error)
    return 1
  }
}

async function loadBundler() {
  try {
    return await import('esbuild')
  } catch {
    return null
  }
}

const find = (pattern) => globSync(pattern, { cwd: SOURCE }).sort()

function bundle({ build }, folder) {
  const entries = [PROGRAM, ...find('**/*.ts').flatMap(startedBy)]
  refuseTwice(entries.map((path) => basename(path)))
  return build({
    absWorkingDir: ROOT,
    entryPoints: entries.map((path) => join(SOURCE, path)),
    entryNames: '[name]',
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    packages: 'external',
    sourcemap: 'linked',
    sourcesContent: false,
    logLevel: 'error',
  })
}

const startedBy = (path) =>
  TEST_FILE.test(path)
    ? []
    : Array.from(readFileSync(join(SOURCE, path), 'utf8').matchAll(STARTED), ([, name]) =>
        join(dirname(path), `${name}.ts`),
      )

function copyAssets(folder) {
  const paths = find(ASSETS)
  refuseTwice(paths.map(placeInBundle))
  for (const path of paths) cpSync(join(SOURCE, path), join(folder, placeInBundle(path)))
}

/** Assets in a folder of their own keep it, as `python/`; those right beside a module have none to keep. */
const placeInBundle = (path) => {
  const folder = basename(dirname(path))
  return globSync('*.ts', { cwd: join(SOURCE, dirname(path)) }).length > 0
    ? basename(path)
    : join(folder, basename(path))
}

function refuseTwice(names) {
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw new Error(`two files of the sources would be one in the bundle: ${twice}`)
}
