/** The files of the working tree that the laws of the tree look at. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

const IGNORED_FOLDERS: ReadonlySet<string> = new Set([
  '.git',
  'node_modules',
  'dist',
  'coverage',
  '.antiphon',
  '.venv',
  '__pycache__',
])

/** Paths below `root`, with forward slashes, sorted. Folders that are built, fetched or private are left out. */
export function listFiles(root: string, folder = ''): string[] {
  const found: string[] = []
  for (const entry of readdirSync(`${root}/${folder}`, { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (entry.isDirectory()) {
      if (!IGNORED_FOLDERS.has(entry.name)) found.push(...listFiles(root, path))
    } else if (entry.isFile()) {
      found.push(path)
    }
  }
  return found.sort()
}

export const readSource = (root: string, path: string): string => readFileSync(`${root}/${path}`, 'utf8')

export const countLines = (text: string): number => text.split('\n').length - (text.endsWith('\n') ? 1 : 0)

export const isTypeScript = (path: string): boolean => path.endsWith('.ts') && !path.endsWith('.d.ts')

/** Tests and the contract suites beside ports: they may reach for concrete parts; nothing else may reach for them. */
export const isTestFile = (path: string): boolean => /\.(test|contract)\.ts$/.test(path) || path.startsWith('test/')
