/** Items of the tools that a client runs, as clients send them -> as we keep them. */

import {
  type ClientItem,
  type ClientItemParam,
  type ComputerCall,
  type LocalShellCall,
  toComputerAction,
} from '../protocol/client-items.ts'
import { missingParameter } from '../protocol/errors.ts'
import { keptCaller } from '../protocol/programs.ts'

const statusOf = (status: string | null | undefined) => (status === 'incomplete' ? 'incomplete' : 'completed')

/** `path`: of the item, for errors. */
export function normalizeClientItem(item: ClientItemParam, id: string, path: string): ClientItem {
  const status = statusOf(item.status)
  switch (item.type) {
    case 'shell_call': {
      const { commands, timeout_ms = null, max_output_length = null } = item.action
      const action = { commands, timeout_ms, max_output_length }
      return {
        id,
        type: item.type,
        call_id: item.call_id,
        status,
        action,
        environment: item.environment ?? null,
        ...keptCaller(item),
      }
    }
    case 'shell_call_output': {
      const { type, call_id, output, max_output_length = null } = item
      return { id, type, call_id, status, output, max_output_length, ...keptCaller(item) }
    }
    case 'local_shell_call': {
      const { type, call_id, action } = item
      return { id, type, call_id, status, action: execAction(action) }
    }
    case 'local_shell_call_output': {
      const call_id = item.call_id || item.id
      if (!call_id) throw missingParameter(`${path}.call_id`)
      return { id, type: item.type, call_id, status, output: item.output }
    }
    case 'apply_patch_call':
      return {
        id,
        type: item.type,
        call_id: item.call_id,
        status: 'completed',
        operation: item.operation,
        ...keptCaller(item),
      }
    case 'apply_patch_call_output': {
      const { type, call_id, output } = item
      const said = typeof output === 'string' ? { output } : {}
      return { id, type, call_id, status: item.status, ...said, ...keptCaller(item) }
    }
    case 'computer_call':
      return { ...computerCall(item), id, status }
    case 'computer_call_output': {
      const { type, call_id, output, acknowledged_safety_checks: checks } = item
      const { image_url, file_id } = output
      if (!image_url && !file_id) throw missingParameter(`${path}.output.image_url`)
      const screenshot = { ...(image_url ? { image_url } : {}), ...(file_id ? { file_id } : {}) }
      const acknowledged = checks ? { acknowledged_safety_checks: checks } : {}
      const state = item.status === 'failed' ? 'failed' : status
      return { id, type, call_id, status: state, output: { type: output.type, ...screenshot }, ...acknowledged }
    }
    case 'tool_search_call': {
      const { type, call_id, execution } = item
      return { id, type, call_id: call_id ?? '', status, execution: execution ?? 'server', arguments: item.arguments }
    }
    case 'tool_search_output': {
      const { type, call_id, execution, tools } = item
      return { id, type, call_id: call_id ?? '', status, execution: execution ?? 'server', tools }
    }
    default:
      return item satisfies never
  }
}

type ComputerCallParam = Extract<ClientItemParam, { type: 'computer_call' }>

function computerCall({ type, call_id, action, actions, pending_safety_checks }: ComputerCallParam): ComputerCall {
  return {
    id: '',
    type,
    call_id,
    status: 'completed',
    ...(action ? { action: toComputerAction(action) } : {}),
    ...(actions ? { actions: actions.map(toComputerAction) } : {}),
    pending_safety_checks: pending_safety_checks ?? [],
  }
}

type ExecParam = Extract<ClientItemParam, { type: 'local_shell_call' }>['action']

function execAction({ type, command, env, timeout_ms, working_directory, user }: ExecParam): LocalShellCall['action'] {
  return {
    type,
    command,
    env: env ?? {},
    ...(typeof timeout_ms === 'number' ? { timeout_ms } : {}),
    ...(working_directory ? { working_directory } : {}),
    ...(user ? { user } : {}),
  }
}
