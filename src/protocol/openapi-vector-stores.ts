/** The operations of the Vector Stores API. */
import { json, type Operation, ok, PAGE_PARAMETERS, pathParameter } from './openapi-operation.ts'
import { STORE_FILE_STATUSES } from './vector-stores.ts'

const STORE_ID = pathParameter('vector_store_id', 'The id of a vector store.')
const FILE_ID = pathParameter('file_id', 'The id of a file.')
const BATCH_ID = pathParameter('batch_id', 'The id of a batch of files.')
const queryText = (name: string, description: string, schema: object = { type: 'string' }) => ({
  name,
  in: 'query',
  description,
  schema,
})
const STORE_PAGE = [...PAGE_PARAMETERS, queryText('before', 'The id that the page stands before.')]
const FILE_PAGE = [
  ...STORE_PAGE,
  queryText('filter', 'Only files of this status.', { type: 'string', enum: [...STORE_FILE_STATUSES] }),
]

const ALL = '/v1/vector_stores'
const ONE = `${ALL}/{vector_store_id}`
const FILES = `${ONE}/files`
const FILE = `${FILES}/{file_id}`
const BATCHES = `${ONE}/file_batches`
const BATCH = `${BATCHES}/{batch_id}`

type Entry = Omit<Operation, 'tag'>

const ofStores: readonly Entry[] = [
  {
    method: 'post',
    path: ALL,
    id: 'createVectorStore',
    summary: 'Create a vector store, empty or of files',
    body: 'CreateVectorStore',
    bodyOptional: true,
    replies: ok('The vector store.', json('VectorStore')),
  },
  {
    method: 'get',
    path: ALL,
    id: 'listVectorStores',
    summary: 'List vector stores',
    parameters: STORE_PAGE,
    replies: ok('One page of vector stores.', json('VectorStoreList')),
  },
  {
    method: 'get',
    path: ONE,
    id: 'getVectorStore',
    summary: 'Get a vector store',
    parameters: [STORE_ID],
    replies: ok('The vector store.', json('VectorStore')),
  },
  {
    method: 'post',
    path: ONE,
    id: 'updateVectorStore',
    summary: 'Change the name, expiry or metadata of a vector store',
    parameters: [STORE_ID],
    body: 'UpdateVectorStore',
    replies: ok('The vector store.', json('VectorStore')),
  },
  {
    method: 'delete',
    path: ONE,
    id: 'deleteVectorStore',
    summary: 'Delete a vector store; its files stay',
    parameters: [STORE_ID],
    replies: ok('It is deleted.', json('DeletedVectorStore')),
  },
  {
    method: 'post',
    path: `${ONE}/search`,
    id: 'searchVectorStore',
    summary: 'Search a vector store',
    parameters: [STORE_ID],
    body: 'SearchVectorStore',
    notOnce: true,
    replies: ok('What was found, best first.', json('VectorStoreSearchPage')),
  },
]
const ofFiles: readonly Entry[] = [
  {
    method: 'post',
    path: FILES,
    id: 'createVectorStoreFile',
    summary: 'Attach a file to a vector store',
    parameters: [STORE_ID],
    body: 'AttachFile',
    replies: ok('The file in the store.', json('VectorStoreFile')),
  },
  {
    method: 'get',
    path: FILES,
    id: 'listVectorStoreFiles',
    summary: 'List the files of a vector store',
    parameters: [STORE_ID, ...FILE_PAGE],
    replies: ok('One page of files.', json('VectorStoreFileList')),
  },
  {
    method: 'get',
    path: FILE,
    id: 'getVectorStoreFile',
    summary: 'Get a file of a vector store',
    parameters: [STORE_ID, FILE_ID],
    replies: ok('The file in the store.', json('VectorStoreFile')),
  },
  {
    method: 'post',
    path: FILE,
    id: 'updateVectorStoreFile',
    summary: 'Replace the attributes of a file of a vector store',
    parameters: [STORE_ID, FILE_ID],
    body: 'UpdateAttributes',
    notOnce: true,
    replies: ok('The file in the store.', json('VectorStoreFile')),
  },
  {
    method: 'delete',
    path: FILE,
    id: 'deleteVectorStoreFile',
    summary: 'Detach a file from a vector store; the file stays',
    parameters: [STORE_ID, FILE_ID],
    replies: ok('It is detached.', json('DeletedVectorStoreFile')),
  },
  {
    method: 'get',
    path: `${FILE}/content`,
    id: 'getVectorStoreFileContent',
    summary: 'Get the text of a file as it was read',
    parameters: [STORE_ID, FILE_ID],
    replies: ok('The text.', json('VectorStoreFileContent')),
  },
]
const ofBatches: readonly Entry[] = [
  {
    method: 'post',
    path: BATCHES,
    id: 'createVectorStoreFileBatch',
    summary: 'Attach many files to a vector store',
    parameters: [STORE_ID],
    body: 'CreateFileBatch',
    replies: ok('The batch.', json('FileBatch')),
  },
  {
    method: 'get',
    path: BATCH,
    id: 'getVectorStoreFileBatch',
    summary: 'Get a batch of files',
    parameters: [STORE_ID, BATCH_ID],
    replies: ok('The batch.', json('FileBatch')),
  },
  {
    method: 'post',
    path: `${BATCH}/cancel`,
    id: 'cancelVectorStoreFileBatch',
    summary: 'Cancel what of a batch is in progress',
    parameters: [STORE_ID, BATCH_ID],
    notOnce: true,
    replies: ok('The batch.', json('FileBatch')),
  },
  {
    method: 'get',
    path: `${BATCH}/files`,
    id: 'listFilesInVectorStoreBatch',
    summary: 'List the files of a batch',
    parameters: [STORE_ID, BATCH_ID, ...FILE_PAGE],
    replies: ok('One page of files.', json('VectorStoreFileList')),
  },
]

export const VECTOR_STORE_OPERATIONS: readonly Operation[] = [...ofStores, ...ofFiles, ...ofBatches].map((entry) => ({
  ...entry,
  tag: 'Vector stores',
}))
