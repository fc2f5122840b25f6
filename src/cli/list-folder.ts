/** The files of a folder that are meant for others: no hidden ones, and nothing that lies elsewhere. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CommandError } from './app-interface.ts'

/** `name`: within the folder, with slashes on every system. */
export type ListedFile = { readonly name: string; readonly path: string; readonly size: number }

/** By name. Names that begin with a dot and symbolic links are left out, at any depth. */
export async function listFolder(folder: string, within = ''): Promise<ListedFile[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`cannot read the folder ${folder} (${error.code ?? 'unreadable'})`)
  })
  const files: ListedFile[] = []
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.')) continue
    const [path, name] = [join(folder, entry.name), `${within}${entry.name}`]
    if (entry.isDirectory()) files.push(...(await listFolder(path, `${name}/`)))
    else if (entry.isFile()) files.push({ name, path, size: (await stat(path)).size })
  }
  return files
}
