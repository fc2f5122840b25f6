/** Small honest Python when asked to calculate, read data or plot, and an answer that says what came of it. */
import type { ToolDeclaration } from '../model.ts'
import { findArithmetic, numbersIn } from './arithmetic.ts'
import { propertiesOf } from './schema-properties.ts'
import { shorten } from './words.ts'

const FENCED = /```(?:python|py)?\s*\n([\s\S]*?)```/i
const QUOTED =
  /\b(?:run|execute|evaluate)\b(?:\s+(?:this|the following|some))?(?:\s+(?:in )?(?:python|code))*\s*:\s*([\s\S]+)$/i
const CODING = /\bpython\b|\bcode interpreter\b|\b(?:run|execute|write)\b[^.?!\n]{0,40}\b(?:code|program|script)\b/i
const PLOTTING = /\b(?:plot|chart|graph|histogram|diagram)\b/i
const DATA = /\b(?:csv|spreadsheet|data ?set|table|columns?|rows?)\b/i
const READING = /\b(?:summari[sz]e|analy[sz]e|describe|average|mean|sum|total|count|read|load|open|many)\b/i

/** A tool of that name which takes code; others that are called so are matched as any tool is. */
export const isCodeInterpreter = (tool: ToolDeclaration): boolean =>
  tool.type === 'function' &&
  tool.name === 'code_interpreter' &&
  propertiesOf(tool.parameters).some(({ name }) => name === 'code')

export const asksForCode = (text: string): boolean =>
  FENCED.test(text) ||
  CODING.test(text) ||
  PLOTTING.test(text) ||
  (DATA.test(text) && READING.test(text)) ||
  findArithmetic(text) !== null

export function codeFor(text: string): string {
  const given = FENCED.exec(text)?.[1] ?? QUOTED.exec(text)?.[1]
  if (given !== undefined && given.trim() !== '') return given.trimEnd()
  if (PLOTTING.test(text)) return DATA.test(text) ? PLOT_TABLE : plotNumbers(numbersIn(text))
  if (DATA.test(text) && READING.test(text)) return READ_TABLE
  const sum = findArithmetic(text)
  if (sum === null) return 'import sys\nprint("Hello from Python", sys.version.split()[0])'
  return `print(${toPython(sum.expression) ?? sum.value})`
}

/** Null for what is said in words. */
function toPython(expression: string): string | null {
  const code = expression.replaceAll('^', '**')
  return /^[\d\s.+*/%()-]+$/.test(code) ? code : null
}

const FIND_TABLE = `import csv, glob
path = sorted(glob.glob("**/*.csv", recursive=True))[0]
with open(path, newline="") as file:
    rows = list(csv.DictReader(file))
columns = list(rows[0])

def numbers(name):
    found = []
    for row in rows:
        try:
            found.append(float(row[name]))
        except (TypeError, ValueError):
            return None
    return found
`

const READ_TABLE = `${FIND_TABLE}
print(f"{path}: {len(rows)} rows, columns {', '.join(columns)}")
for name in columns:
    values = numbers(name)
    if values:
        mean = sum(values) / len(values)
        print(f"{name}: sum {sum(values):g}, mean {mean:g}, from {min(values):g} to {max(values):g}")`

const PLOT_TABLE = `${FIND_TABLE}
import matplotlib.pyplot as plt
numeric = [name for name in columns if numbers(name)]
labels = [name for name in columns if name not in numeric]
x = [row[labels[0]] for row in rows] if labels else list(range(len(rows)))
for name in numeric:
    plt.plot(x, numbers(name), marker="o", label=name)
plt.legend()
plt.title(path)
plt.show()
print(f"plotted {', '.join(numeric)} of {len(rows)} rows")`

const plotNumbers = (numbers: readonly number[]): string => `import matplotlib.pyplot as plt
values = ${JSON.stringify(numbers.length > 1 ? numbers : [1, 4, 9, 16, 25])}
plt.plot(values, marker="o")
plt.show()
print(f"plotted {len(values)} values")`

const MARKED = /^\[From the (code|commands): [^\n]*\]\n/m
const FILES = /\nFiles made or changed;[^\n]*((?:\n- [^\n]*)+)(?:\n\[image\])*\s*$/
const MAX_SAID = 4_000

/** Null for an output of another tool. Of commands too, that ran in a container. */
export function answerFromCode(output: string): string | null {
  const files = FILES.exec(output)
  const text = files === null ? output : output.slice(0, files.index)
  const marked = MARKED.exec(text)
  if (marked === null && !text.includes('The code printed nothing.')) return null
  const said = marked === null ? '' : text.slice(marked.index + marked[0].length).trim()
  const made = [...(files?.[1] ?? '').matchAll(/^- \S*?([^/\n]+) \(\d+ bytes\) (【\d+】)$/gm)]
  const isError = /^Traceback \(|^\w*Error: /m.test(said)
  const told = marked?.[1] === 'commands' ? 'The commands gave' : `The code ${isError ? 'failed' : 'printed'}`
  return [
    said === '' ? 'The code ran and printed nothing.' : `${told}: ${shorten(said, MAX_SAID)}`,
    ...(made.length === 0 ? [] : [`It made ${made.map(([, name, mark]) => `${name}${mark}`).join(', ')}.`]),
  ].join('\n')
}
