/** All tools that a client runs and that are no functions. */
import type { Tool } from '../tool.ts'
import { createApplyPatchTool } from './apply-patch-tool.ts'
import { createComputerTool } from './computer-tool.ts'
import { createLocalShellTool } from './local-shell-tool.ts'
import { createShellTool } from './shell-tool.ts'

export const createClientTools = (): readonly Tool[] => [
  createShellTool(),
  createLocalShellTool(),
  createApplyPatchTool(),
  createComputerTool(),
]
