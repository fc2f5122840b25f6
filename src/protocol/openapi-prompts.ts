/** The operations on prompt templates. */
import { json, type Operation, ok, PAGE_PARAMETERS, pathParameter } from './openapi-operation.ts'

const PROMPT_ID = pathParameter('prompt_id', 'The id of a prompt template.')

const entries: readonly Omit<Operation, 'tag'>[] = [
  {
    method: 'post',
    path: '/v1/prompts',
    id: 'createPrompt',
    summary: 'Store a prompt template',
    body: 'CreatePrompt',
    replies: ok('The prompt in version 1.', json('Prompt')),
  },
  {
    method: 'get',
    path: '/v1/prompts',
    id: 'listPrompts',
    summary: 'List prompt templates in their default versions',
    parameters: PAGE_PARAMETERS,
    replies: ok('One page of prompts.', json('PromptList')),
  },
  {
    method: 'get',
    path: '/v1/prompts/{prompt_id}',
    id: 'getPrompt',
    summary: 'Get the default version of a prompt template',
    parameters: [PROMPT_ID],
    replies: ok('The prompt.', json('Prompt')),
  },
  {
    method: 'get',
    path: '/v1/prompts/{prompt_id}/versions/{version}',
    id: 'getPromptVersion',
    summary: 'Get one version of a prompt template',
    parameters: [PROMPT_ID, pathParameter('version', 'A number, counted from 1.')],
    replies: ok('The prompt.', json('Prompt')),
  },
  {
    method: 'post',
    path: '/v1/prompts/{prompt_id}',
    id: 'updatePrompt',
    summary: 'Make a new version, or choose another default version',
    parameters: [PROMPT_ID],
    body: 'UpdatePrompt',
    replies: ok('The prompt in the version that counts now.', json('Prompt')),
  },
  {
    method: 'delete',
    path: '/v1/prompts/{prompt_id}',
    id: 'deletePrompt',
    summary: 'Delete a prompt template with all its versions',
    parameters: [PROMPT_ID],
    replies: ok('It is deleted.', json('DeletedPrompt')),
  },
]

export const PROMPT_OPERATIONS: readonly Operation[] = entries.map((entry) => ({ ...entry, tag: 'Prompts' }))
