/** `computer` and `computer_use_preview`: a screen that the client shows, and a mouse and keyboard that it moves. */

import { ComputerActionParamSchema, SafetyChecksSchema, toComputerAction } from '../../protocol/client-items.ts'
import type { ClientToolParam, ComputerTool } from '../../protocol/client-tools.ts'
import { compileCheck } from '../../protocol/compile-check.ts'
import { type ClientToolKind, createClientTool } from './client-tool.ts'

const NUMBER = { type: 'integer' }
const KEYS = { type: 'array', items: { type: 'string' }, description: 'Keys of the keyboard, as ["CTRL", "C"].' }
const POINT = {
  type: 'object',
  properties: { x: NUMBER, y: NUMBER },
  required: ['x', 'y'],
  additionalProperties: false,
}

/** One flat object: models fill it more surely than one of nine alternatives. What each needs is checked afterwards. */
const ACTION = {
  type: 'object',
  properties: {
    type: {
      type: 'string',
      enum: ['screenshot', 'click', 'double_click', 'move', 'drag', 'scroll', 'keypress', 'type', 'wait'],
      description:
        'click: button, x, y. double_click, move: x, y. drag: path. scroll: x, y, scroll_x, scroll_y. keypress: keys. type: text.',
    },
    x: { ...NUMBER, description: 'Pixels from the left edge.' },
    y: { ...NUMBER, description: 'Pixels from the top edge.' },
    button: { type: 'string', enum: ['left', 'right', 'wheel', 'back', 'forward'] },
    path: { type: 'array', items: POINT },
    scroll_x: { ...NUMBER, description: 'Pixels to the right.' },
    scroll_y: { ...NUMBER, description: 'Pixels downwards.' },
    keys: KEYS,
    text: { type: 'string' },
  },
  required: ['type'],
  additionalProperties: false,
}
const parametersOf = (name: string, schema: object) => ({
  type: 'object',
  properties: { [name]: schema },
  required: [name],
  additionalProperties: false,
})
const ONE = parametersOf('action', ACTION)
const SEVERAL = parametersOf('actions', {
  type: 'array',
  items: ACTION,
  minItems: 1,
  description: 'Done one after another; then you are shown the screen.',
})

const isAction = compileCheck(ComputerActionParamSchema)
const areChecks = compileCheck(SafetyChecksSchema)

const COMPUTER: ClientToolKind<ComputerTool, ComputerTool> = {
  owns: (spec: ClientToolParam): spec is ComputerTool =>
    spec.type === 'computer' || spec.type === 'computer_use_preview',
  settle: (spec) => spec,
  describe(spec) {
    const place =
      spec.type === 'computer'
        ? ''
        : ` It is ${PLACES[spec.environment]} of ${spec.display_width} by ${spec.display_height} pixels.`
    return `Uses the mouse and the keyboard of a computer; the answer is a picture of its screen.${place} Begin with a screenshot.`
  },
  parameters: ({ type }) => (type === 'computer' ? SEVERAL : ONE),
  hidden: ['pending_safety_checks'],
  read(args, call, { type }) {
    const pending_safety_checks = areChecks(args.pending_safety_checks) ? args.pending_safety_checks : []
    const shared = { ...call, type: 'computer_call', status: 'completed', pending_safety_checks } as const
    const given = Array.isArray(args.actions) ? args.actions : [args.action]
    const actions = given.flatMap((action) => (isAction(action) ? [toComputerAction(action)] : []))
    const [only] = actions
    if (!only || actions.length < given.length) return 'an action lacks a field that it needs'
    return type === 'computer' ? { ...shared, actions } : { ...shared, action: only }
  },
}

export const createComputerTool = () => createClientTool(COMPUTER)

const PLACES = {
  windows: 'a Windows screen',
  mac: 'a Mac screen',
  linux: 'a Linux screen',
  ubuntu: 'an Ubuntu screen',
  browser: 'a browser window',
} as const
