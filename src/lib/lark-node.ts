/** A grammar in Lark's notation as a tree. */
export type LarkNode =
  | { readonly type: 'choice' | 'sequence'; readonly nodes: readonly LarkNode[] }
  | { readonly type: 'repeat'; readonly node: LarkNode; readonly min: number; readonly max: number }
  | { readonly type: 'literal'; readonly text: string; readonly ignoreCase?: boolean }
  /** `source` of a regular expression in the syntax of Rust's `regex` crate. */
  | { readonly type: 'pattern'; readonly source: string }
  | { readonly type: 'rule'; readonly name: string }

export type LarkGrammar = {
  readonly rules: ReadonlyMap<string, LarkNode>
  readonly ignored: readonly LarkNode[]
}

/** Terminals match characters as they stand; rules may have ignored text between their parts. */
export const isTerminalName = (name: string): boolean => /^_?[A-Z]/.test(name)
