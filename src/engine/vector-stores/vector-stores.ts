/** What the edge can ask of vector stores. Every refusal is a thrown `ApiError`. */
import type {
  AttachFileRequest,
  CreateFileBatchRequest,
  CreateVectorStoreRequest,
  FileBatchObject,
  FileContentPage,
  SearchPage,
  SearchVectorStoreRequest,
  StoreFileStatus,
  UpdateAttributesRequest,
  UpdateVectorStoreRequest,
  VectorStoreFileList,
  VectorStoreFileObject,
  VectorStoreList,
  VectorStoreObject,
} from '../../protocol/vector-stores.ts'
import type { StorePage } from '../../store/vector-store-catalog.ts'
import type { Caller } from '../engine.ts'

export interface VectorStores {
  create(request: CreateVectorStoreRequest, caller: Caller): Promise<VectorStoreObject>
  get(id: string, caller: Caller): Promise<VectorStoreObject>
  list(page: StorePage, caller: Caller): Promise<VectorStoreList>
  update(id: string, request: UpdateVectorStoreRequest, caller: Caller): Promise<VectorStoreObject>
  delete(id: string, caller: Caller): Promise<void>
  search(id: string, request: SearchVectorStoreRequest, caller: Caller): Promise<SearchPage>
  readonly files: VectorStoreFiles
  readonly batches: FileBatches
}

export interface VectorStoreFiles {
  attach(storeId: string, request: AttachFileRequest, caller: Caller): Promise<VectorStoreFileObject>
  get(storeId: string, fileId: string, caller: Caller): Promise<VectorStoreFileObject>
  list(storeId: string, page: StoreFilePage, caller: Caller): Promise<VectorStoreFileList>
  update(
    storeId: string,
    fileId: string,
    request: UpdateAttributesRequest,
    caller: Caller,
  ): Promise<VectorStoreFileObject>
  detach(storeId: string, fileId: string, caller: Caller): Promise<void>
  /** The text as it was read. */
  content(storeId: string, fileId: string, caller: Caller): Promise<FileContentPage>
}

export interface FileBatches {
  create(storeId: string, request: CreateFileBatchRequest, caller: Caller): Promise<FileBatchObject>
  get(storeId: string, id: string, caller: Caller): Promise<FileBatchObject>
  cancel(storeId: string, id: string, caller: Caller): Promise<FileBatchObject>
  list(storeId: string, id: string, page: StoreFilePage, caller: Caller): Promise<VectorStoreFileList>
}

export type StoreFilePage = StorePage & { readonly status: StoreFileStatus | null }
