/** Text in pieces to be written one after the other, so that no result is ever held or written as one string. */
export type Chunks = Iterable<string>

/** UTF-16 units of one chunk: no more than 48 KiB in UTF-8, so that a pipe (64 KiB on Linux) takes it at once. */
const CHUNK_LENGTH = 16 * 1024

/** Small pieces, such as lines, gathered into chunks of at most 48 KiB; only a longer piece makes a longer chunk. */
export function* gatherChunks(pieces: Iterable<string>): Generator<string, void> {
  let chunk = ''
  for (const piece of pieces) {
    if (chunk !== '' && chunk.length + piece.length > CHUNK_LENGTH) {
      yield chunk
      chunk = ''
    }
    chunk += piece
  }
  if (chunk !== '') yield chunk
}
