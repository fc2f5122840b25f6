/** What the demo engine draws: one shape on a plain ground, as the words of the prompt say, else by its digest. */
import { createHash } from 'node:crypto'
import type { Rgba } from '../../../../lib/png.ts'

export type Shape = (typeof SHAPES)[number]
export type Scene = {
  readonly shape: Shape
  readonly colour: Rgba
  readonly ground: Rgba
}

const SHAPES = ['circle', 'square', 'triangle', 'diamond', 'ring'] as const
const OTHER_WORDS: Readonly<Record<string, Shape>> = {
  ball: 'circle',
  sun: 'circle',
  moon: 'circle',
  dot: 'circle',
  box: 'square',
  cube: 'square',
  house: 'square',
  mountain: 'triangle',
  pyramid: 'triangle',
  kite: 'diamond',
  wheel: 'ring',
}

const COLOURS: Readonly<Record<string, Rgba>> = {
  red: [214, 40, 40, 255],
  orange: [245, 140, 30, 255],
  yellow: [245, 215, 50, 255],
  green: [50, 160, 70, 255],
  cyan: [40, 190, 200, 255],
  blue: [40, 90, 210, 255],
  purple: [140, 60, 190, 255],
  pink: [240, 110, 170, 255],
  brown: [130, 80, 40, 255],
  black: [20, 20, 20, 255],
  white: [250, 250, 250, 255],
  grey: [140, 140, 140, 255],
  gray: [140, 140, 140, 255],
}
const NAMES = Object.keys(COLOURS)
const GROUND: Rgba = [235, 232, 224, 255]
const CLEAR: Rgba = [0, 0, 0, 0]

/** "a red circle on blue": the first colour is the shape's, one behind "on" the ground's. */
export function sceneOf(prompt: string, isTransparent: boolean): Scene {
  const words = prompt.toLowerCase().match(/[a-z]+/g) ?? []
  const digest = createHash('sha256').update(prompt).digest()
  const onAt = words.findIndex((word, at) => word === 'on' && words.slice(at).some((next) => next in COLOURS))
  const said = words.slice(0, onAt < 0 ? undefined : onAt)
  const behind = onAt < 0 ? [] : words.slice(onAt)
  const colourIn = (list: readonly string[]) => COLOURS[list.find((word) => word in COLOURS) ?? '']
  return {
    shape: words.map(shapeOf).find((shape) => shape !== null) ?? SHAPES[(digest[0] ?? 0) % SHAPES.length] ?? 'circle',
    colour: colourIn(said) ?? COLOURS[NAMES[(digest[1] ?? 0) % NAMES.length] ?? ''] ?? GROUND,
    ground: isTransparent ? CLEAR : (colourIn(behind) ?? GROUND),
  }
}

const shapeOf = (word: string): Shape | null => {
  const single = word.replace(/s$/, '')
  return (
    SHAPES.find((shape) => shape === single) ??
    (Object.hasOwn(OTHER_WORDS, single) ? (OTHER_WORDS[single] ?? null) : null)
  )
}

/** `x` and `y` from the middle, in half the shorter side. */
export function isInside(shape: Shape, x: number, y: number): boolean {
  const far = Math.hypot(x, y)
  switch (shape) {
    case 'circle':
      return far <= 0.7
    case 'ring':
      return far <= 0.7 && far >= 0.4
    case 'square':
      return Math.max(Math.abs(x), Math.abs(y)) <= 0.62
    case 'diamond':
      return Math.abs(x) + Math.abs(y) <= 0.8
    case 'triangle':
      return y <= 0.6 && y >= 2 * Math.abs(x) - 0.7
    default:
      return shape satisfies never
  }
}
