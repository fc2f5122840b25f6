import type { DeclaredTool, ToolRunner } from '../tools/tool.ts'

export type OfferedTool = { readonly declared: DeclaredTool; readonly tool: ToolRunner }
