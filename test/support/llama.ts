/**
 * `node-llama-cpp` for tests: it is no dependency, so it is taken from where `ANTIPHON_TEST_LLAMA` says it was installed,
 * else from among our own packages; and a folder of tiny models.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { LLAMA_PACKAGE, LLAMA_VERSION } from '../../src/models/local/llama-library.ts'
import { type TinyGgufOptions, tinyGguf } from '../fakes/tiny-gguf.ts'

const folder = process.env.ANTIPHON_TEST_LLAMA ?? new URL('../..', import.meta.url).pathname

/** As the product's own loader does it, from the folder of the test's choice. */
export const importLlama = (): Promise<unknown> =>
  import(pathToFileURL(join(folder, 'node_modules', LLAMA_PACKAGE, 'dist', 'index.js')).href)

const isInstalled = await importLlama().then(
  () => true,
  () => false,
)

/** For the `skip` of a suite. */
export const whyNoLlama: string | false = isInstalled
  ? false
  : `because ${LLAMA_PACKAGE}@${LLAMA_VERSION} is not installed; ANTIPHON_TEST_LLAMA names a folder where it is`

/** A temporary folder with one file for each model. */
export function tinyModels(models: Readonly<Record<string, TinyGgufOptions>>): Disposable & { readonly dir: string } {
  const dir = mkdtempSync(join(tmpdir(), 'antiphon-models-'))
  for (const [name, options] of Object.entries(models)) writeFileSync(join(dir, `${name}.gguf`), tinyGguf(options))
  return { dir, [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) }
}
