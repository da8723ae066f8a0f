const CAR_TYPE = 'application/vnd.ipld.car';

/** A CAR file of pieces that arrive one by one. */
export async function toBlob(pieces: AsyncIterable<Uint8Array>): Promise<Blob> {
  const parts: BlobPart[] = [];
  for await (const piece of pieces) parts.push(piece as Uint8Array<ArrayBuffer>);
  return new Blob(parts, { type: CAR_TYPE });
}
