/** Types of the two files of undici that are imported by themselves; its index would load four times as many modules. */
declare module 'undici/lib/dispatcher/agent.js' {
  import { Agent } from 'undici'
  export = Agent
}
declare module 'undici/lib/core/errors.js' {
  import { errors } from 'undici'
  export = errors
}
