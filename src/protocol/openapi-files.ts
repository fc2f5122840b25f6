/** The operations on files and on uploads in parts. */
import { ALL_FILE_PURPOSES } from './files.ts'
import { json, type Operation, ok, pathParameter, queryParameter } from './openapi-operation.ts'

const FILE_ID = pathParameter('file_id', 'The id of a file.')
const UPLOAD_ID = pathParameter('upload_id', 'The id of an upload.')

const entries: readonly Omit<Operation, 'tag'>[] = [
  {
    method: 'post',
    path: '/v1/files',
    id: 'createFile',
    summary: 'Upload a file',
    body: 'CreateFile',
    form: true,
    notOnce: true,
    replies: ok('The file.', json('File')),
  },
  {
    method: 'get',
    path: '/v1/files',
    id: 'listFiles',
    summary: 'List files',
    parameters: [
      queryParameter('purpose', 'Only files of this purpose.', { type: 'string', enum: ALL_FILE_PURPOSES }),
      queryParameter('limit', 'Files per page.', { type: 'integer', minimum: 1, maximum: 10_000, default: 10_000 }),
      queryParameter('order', 'Oldest or newest first.', { type: 'string', enum: ['asc', 'desc'], default: 'desc' }),
      queryParameter('after', 'The id of the last file of the page before.', { type: 'string' }),
    ],
    replies: ok('One page of files.', json('FileList')),
  },
  {
    method: 'get',
    path: '/v1/files/{file_id}',
    id: 'getFile',
    summary: 'Get what is known of a file',
    parameters: [FILE_ID],
    replies: ok('The file.', json('File')),
  },
  {
    method: 'delete',
    path: '/v1/files/{file_id}',
    id: 'deleteFile',
    summary: 'Delete a file with its content',
    parameters: [FILE_ID],
    replies: ok('It is deleted.', json('DeletedFile')),
  },
  {
    method: 'get',
    path: '/v1/files/{file_id}/content',
    id: 'getFileContent',
    summary: 'Download a file',
    parameters: [FILE_ID],
    replies: ok('Its bytes, as an attachment.', {
      'application/octet-stream': { schema: { type: 'string', contentMediaType: 'application/octet-stream' } },
    }),
  },
  {
    method: 'post',
    path: '/v1/uploads',
    id: 'createUpload',
    summary: 'Begin to upload a large file in parts',
    body: 'CreateUpload',
    notOnce: true,
    replies: ok('The upload, pending for an hour.', json('Upload')),
  },
  {
    method: 'post',
    path: '/v1/uploads/{upload_id}/parts',
    id: 'addUploadPart',
    summary: 'Add a part; several may be sent at once',
    parameters: [UPLOAD_ID],
    body: 'AddUploadPart',
    form: true,
    notOnce: true,
    replies: ok('The part.', json('UploadPart')),
  },
  {
    method: 'post',
    path: '/v1/uploads/{upload_id}/complete',
    id: 'completeUpload',
    summary: 'Make a file of the parts, in the order of their ids',
    parameters: [UPLOAD_ID],
    body: 'CompleteUpload',
    notOnce: true,
    replies: ok('The upload with its file.', json('Upload')),
  },
  {
    method: 'post',
    path: '/v1/uploads/{upload_id}/cancel',
    id: 'cancelUpload',
    summary: 'Cancel an upload and drop its parts',
    parameters: [UPLOAD_ID],
    replies: ok('The upload, cancelled.', json('Upload')),
  },
]

export const FILE_OPERATIONS: readonly Operation[] = entries.map((entry) => ({ ...entry, tag: 'Files' }))
