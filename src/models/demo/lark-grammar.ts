/** Texts and Lark grammars: does a text fit, and if none does, one that fits. Both with a limit on the work. */
import { createLarkMatcher } from '../../lib/lark-match.ts'
import type { LarkGrammar, LarkNode } from '../../lib/lark-node.ts'
import { parseLark } from '../../lib/lark-syntax.ts'
import { compilePattern } from '../../lib/pattern.ts'

const MAX_DEPTH = 60
const MAX_SAMPLE_CHARS = 8000

/** The first of `wanted` that the grammar allows, else a sample made with them; null when the grammar is not understood. */
export function fitLark(definition: string, wanted: readonly string[]): string | null {
  const grammar = parseLark(definition)
  if (!grammar) return null
  const matcher = createLarkMatcher(definition)
  return wanted.find((text) => matcher?.matchSync(text).outcome === 'valid') ?? sampleLark(grammar, wanted)
}

// ---- sampling -------------------------------------------------------------------------------------------------

type Sampling = { readonly grammar: LarkGrammar; readonly wanted: readonly string[]; readonly used: Set<string> }

function sampleLark(grammar: LarkGrammar, wanted: readonly string[]): string | null {
  const text = sampleNode({ type: 'rule', name: 'start' }, { grammar, wanted, used: new Set() }, '', 0)
  return text !== null && text.length <= MAX_SAMPLE_CHARS ? text : null
}

/** `rule`: the one that is being written, whose name may tell what a terminal stands for. */
function sampleNode(node: LarkNode, sampling: Sampling, rule: string, depth: number): string | null {
  if (depth > MAX_DEPTH) return null
  switch (node.type) {
    case 'literal':
      return node.text
    case 'pattern':
      return samplePattern(node.source, sampling, rule)
    case 'choice':
      for (const child of node.nodes) {
        const text = sampleNode(child, sampling, rule, depth + 1)
        if (text !== null) return text
      }
      return null
    case 'sequence': {
      const parts = node.nodes.map((child) => sampleNode(child, sampling, rule, depth + 1))
      return parts.every((part) => part !== null) ? parts.join('') : null
    }
    case 'repeat': {
      const parts = Array.from({ length: Math.min(node.min, MAX_SAMPLE_CHARS) }, () =>
        sampleNode(node.node, sampling, rule, depth + 1),
      )
      return parts.every((part) => part !== null) ? parts.join('') : null
    }
    case 'rule': {
      const body = sampling.grammar.rules.get(node.name)
      return body ? sampleNode(body, sampling, node.name, depth + 1) : null
    }
  }
}

function samplePattern(source: string, { wanted, used }: Sampling, rule: string): string | null {
  const pattern = compilePattern(`^(?:${source})$`)
  if (!pattern) return null
  const usual = /file|path/i.test(rule) ? ['example.txt'] : []
  const isFile = (text: string) => /^[\w./-]+\.\w+$/.test(text)
  const preferred = usual.length > 0 ? wanted.filter(isFile) : wanted.filter((text) => !text.includes('\n'))
  const fitting = [...preferred, ...usual].find((text) => !used.has(text) && pattern.matches(text))
  if (fitting !== undefined) used.add(fitting)
  return fitting ?? pattern.sample()
}
