/** The operations on containers. */
import { json, type Operation, ok, PAGE_PARAMETERS, pathParameter, queryParameter } from './openapi-operation.ts'

const CONTAINER_ID = pathParameter('container_id', 'The id of a container.')
const FILE_ID = pathParameter('file_id', 'The id of a file in it.')
const NAME = queryParameter('name', 'Only containers of this name.', { type: 'string' })

const entries: readonly Omit<Operation, 'tag'>[] = [
  {
    method: 'post',
    path: '/v1/containers',
    id: 'createContainer',
    summary: 'Create a container for code',
    body: 'CreateContainer',
    replies: ok('The container. Its process begins when it is used.', json('Container')),
  },
  {
    method: 'get',
    path: '/v1/containers',
    id: 'listContainers',
    summary: 'List containers',
    parameters: [...PAGE_PARAMETERS, NAME],
    replies: ok('One page of containers.', json('ContainerList')),
  },
  {
    method: 'get',
    path: '/v1/containers/{container_id}',
    id: 'getContainer',
    summary: 'Get a container',
    parameters: [CONTAINER_ID],
    replies: ok('The container.', json('Container')),
  },
  {
    method: 'delete',
    path: '/v1/containers/{container_id}',
    id: 'deleteContainer',
    summary: 'End a container and all that is in it',
    parameters: [CONTAINER_ID],
    replies: ok('It is ended.', json('DeletedContainer')),
  },
  {
    method: 'post',
    path: '/v1/containers/{container_id}/files',
    id: 'createContainerFile',
    summary: 'Put a file into a container: a form with `file`, or JSON with the `file_id` of an uploaded one',
    parameters: [CONTAINER_ID],
    body: 'CreateContainerFile',
    form: true,
    notOnce: true,
    replies: ok('The file.', json('ContainerFile')),
  },
  {
    method: 'get',
    path: '/v1/containers/{container_id}/files/{file_id}/content',
    id: 'getContainerFileContent',
    summary: 'Download a file of a container',
    parameters: [CONTAINER_ID, FILE_ID],
    replies: ok('Its bytes, as an attachment.', {
      'application/octet-stream': { schema: { type: 'string', contentMediaType: 'application/octet-stream' } },
    }),
  },
  {
    method: 'get',
    path: '/v1/containers/{container_id}/files',
    id: 'listContainerFiles',
    summary: 'List the files in a container',
    parameters: [CONTAINER_ID, ...PAGE_PARAMETERS],
    replies: ok('One page of files.', json('ContainerFileList')),
  },
  {
    method: 'get',
    path: '/v1/containers/{container_id}/files/{file_id}',
    id: 'getContainerFile',
    summary: 'Get a file in a container',
    parameters: [CONTAINER_ID, FILE_ID],
    replies: ok('The file.', json('ContainerFile')),
  },
  {
    method: 'delete',
    path: '/v1/containers/{container_id}/files/{file_id}',
    id: 'deleteContainerFile',
    summary: 'Delete a file in a container',
    parameters: [CONTAINER_ID, FILE_ID],
    replies: ok('It is deleted.', json('DeletedContainerFile')),
  },
]

export const CONTAINER_OPERATIONS: readonly Operation[] = entries.map((entry) => ({ ...entry, tag: 'Containers' }))
