/** Where code of models runs, with what that place needs. */
import type { ReadContext } from './kinds.ts'
import type { ReadSettings } from './read-settings.ts'
import type { CodeInterpreterConfig } from './resolved-config.ts'

export function resolveCodeInterpreter({ values, placeOf }: ReadSettings, context: ReadContext): CodeInterpreterConfig {
  const asked = values['tools.code_interpreter.sandbox']
  const url = values['tools.code_interpreter.url']
  const token = values['tools.code_interpreter.token']
  const sandbox = asked !== 'auto' ? asked : url === null ? 'bubblewrap' : 'remote'
  const place = placeOf(`tools.code_interpreter.${url === null ? 'sandbox' : 'url'}`)
  if (sandbox === 'remote' && url === null) context.error(place, 'the sandbox "remote" lacks "url"')
  if (sandbox === 'remote' && token === null) context.error(place, 'the sandbox "remote" lacks "token"')
  return { sandbox, providerFirst: asked === 'auto', python: values['tools.code_interpreter.python'], url, token }
}
