/** What a file imports, in every form the language has, types included. */
import { posix } from 'node:path'
import {
  isCallExpression,
  isExportDeclaration,
  isExternalModuleReference,
  isImportDeclaration,
  isImportTypeNode,
  isLiteralTypeNode,
  isNoSubstitutionTemplateLiteral,
  isStringLiteral,
  type Node,
  SyntaxKind,
} from 'typescript/unstable/ast'
import { lineOf, nodesOf, type ParsedFile } from './parse-sources.ts'

export type Import = {
  readonly from: string
  /** As written. */
  readonly specifier: string
  /** The file it names, below the root; null for a package or a built-in. */
  readonly target: string | null
  readonly line: number
}

export function importsOf(file: ParsedFile): Import[] {
  const found: Import[] = []
  for (const node of nodesOf(file.tree)) {
    const specifier = specifierOf(node)
    if (specifier === null) continue
    const relative = specifier.startsWith('.')
    const target = relative ? posix.join(posix.dirname(file.path), specifier) : null
    found.push({ from: file.path, specifier, target, line: lineOf(file, node) })
  }
  return found
}

/** `import … from`, `export … from`, `import()`, `require()`, and `import('…')` in type position. */
function specifierOf(node: Node): string | null {
  if (isImportDeclaration(node)) return textOf(node.moduleSpecifier)
  if (isExportDeclaration(node)) return textOf(node.moduleSpecifier)
  if (isExternalModuleReference(node)) return textOf(node.expression)
  if (isImportTypeNode(node)) return isLiteralTypeNode(node.argument) ? textOf(node.argument.literal) : null
  if (!isCallExpression(node)) return null
  const callee = node.expression
  const imports = callee.kind === SyntaxKind.ImportKeyword || callee.getText() === 'require'
  return imports ? textOf(node.arguments[0]) : null
}

const textOf = (node: Node | undefined): string | null =>
  node !== undefined && (isStringLiteral(node) || isNoSubstitutionTemplateLiteral(node)) ? node.text : null
