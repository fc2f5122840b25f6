/** `multipart/form-data` as bytes, so that it can be sent like any body. */

export type FormPart =
  | { readonly name: string; readonly value: string }
  | { readonly name: string; readonly filename: string; readonly contentType: string; readonly bytes: Uint8Array }

export type Multipart = { readonly contentType: string; readonly body: Buffer }

/** Names are ours and need no escape. `boundary`: must occur in no part. */
export function encodeMultipart(parts: readonly FormPart[], boundary: string): Multipart {
  const chunks = parts.flatMap((part) => [Buffer.from(`--${boundary}\r\n${headOf(part)}\r\n\r\n`), bodyOf(part), CRLF])
  const body = Buffer.concat([...chunks, Buffer.from(`--${boundary}--\r\n`)])
  return { contentType: `multipart/form-data; boundary=${boundary}`, body }
}

const CRLF = Buffer.from('\r\n')

function headOf(part: FormPart): string {
  const name = `Content-Disposition: form-data; name="${part.name}"`
  return 'bytes' in part ? `${name}; filename="${part.filename}"\r\nContent-Type: ${part.contentType}` : name
}

const bodyOf = (part: FormPart): Uint8Array => ('bytes' in part ? part.bytes : Buffer.from(part.value))
