/** Syntax trees by the TypeScript compiler itself, so that no rule is fooled by strings, comments or odd spacing. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node, SourceFile } from 'typescript/unstable/ast'
import { API } from 'typescript/unstable/sync'
import { isTypeScript, listFiles } from './source-files.ts'

export type ParsedFile = {
  /** Below the root, with forward slashes. */
  readonly path: string
  readonly text: string
  readonly tree: SourceFile
}

/** Parses every TypeScript file below `root/<folder>` for each folder that exists. Nothing is resolved or checked. */
export function parseSources(root: string, folders: readonly string[]): ParsedFile[] {
  const paths = listFiles(root).filter((path) => isTypeScript(path) && folders.some((it) => path.startsWith(`${it}/`)))
  if (paths.length === 0) return []
  const scratch = mkdtempSync(join(tmpdir(), 'antiphon-parse-'))
  const api = new API({ cwd: scratch })
  try {
    const config = join(scratch, 'tsconfig.json')
    const compilerOptions = { noLib: true, noResolve: true, types: [], allowImportingTsExtensions: true, noEmit: true }
    writeFileSync(config, JSON.stringify({ compilerOptions, files: paths.map((path) => join(root, path)) }))
    const project = api.updateSnapshot({ openProjects: [config] }).getProjects()[0]
    return paths.map((path) => {
      const tree = project?.program.getSourceFile(join(root, path))
      if (tree === undefined) throw new Error(`the TypeScript compiler did not parse ${path}`)
      return { path, text: tree.text, tree }
    })
  } finally {
    api.close()
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Every node of the tree, parents first. */
export function* nodesOf(node: Node): Generator<Node> {
  yield node
  const children: Node[] = []
  node.forEachChild((child) => {
    children.push(child)
  })
  for (const child of children) yield* nodesOf(child)
}

/** 1-based line of the first character of a node, comments before it left out. */
export const lineOf = (file: ParsedFile, node: Node): number =>
  file.tree.getLineAndCharacterOfPosition(node.getStart(file.tree)).line + 1

export const lastLineOf = (file: ParsedFile, node: Node): number =>
  file.tree.getLineAndCharacterOfPosition(node.end).line + 1
