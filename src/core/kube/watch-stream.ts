import { DeckError } from '../lib/errors.ts'
import { acceptedTypes, type ResourceSource, selectorQuery, wrongMediaType } from './paged-list.ts'
import { PROTOBUF_MEDIA_TYPE, withJsonStatus } from './protobuf-status.ts'
import { purposeText } from './status-error-purpose.ts'
import { errorFromResponse } from './status-error.ts'
import type { KubeResponse, KubeTransport } from './transport.ts'
import type { Watched, WatchFrame, WatchParser } from './watch-frame.ts'
import { JsonWatchParser } from './watch-json.ts'
import { ProtobufWatchParser } from './watch-protobuf.ts'

/** Where a watch begins and when the server is asked to end it. */
export interface WatchRequest {
  readonly resourceVersion: string
  readonly timeoutSeconds: number
  readonly signal: AbortSignal
}

/**
 * Opens a watch with bookmarks; resolves when the server has accepted it. The frames come in the batches in which
 * they arrive, an empty one for bytes that complete none, and end when the server ends the watch between two of them; a stream that breaks off within one
 * throws KUBE_UNREACHABLE.
 */
export async function openWatch<T extends Watched>(
  transport: KubeTransport,
  source: ResourceSource<T>,
  request: WatchRequest,
): Promise<AsyncGenerator<readonly WatchFrame<T>[], void>> {
  const query = selectorQuery(source)
  query.set('watch', 'true')
  query.set('allowWatchBookmarks', 'true')
  query.set('resourceVersion', request.resourceVersion)
  query.set('timeoutSeconds', String(request.timeoutSeconds))
  const response = await transport.send({
    path: `${source.path}?${query.toString()}`,
    accept: acceptedTypes(source, 'watch'),
    signal: request.signal,
    streaming: true,
  })
  if (response.status !== 200) {
    throw await errorFromResponse(withJsonStatus(response), { verb: 'watch', ...source.purpose })
  }
  return frames(response, watchParser(response, source), purposeText({ verb: 'watch', ...source.purpose }))
}

async function* frames<T>(
  response: KubeResponse,
  parser: WatchParser<T>,
  what: string,
): AsyncGenerator<readonly WatchFrame<T>[], void> {
  for await (const chunk of response.body) {
    yield parser.push(chunk)
  }
  if (parser.unfinished) {
    throw new DeckError('KUBE_UNREACHABLE', `cannot ${what}: the connection ended in the middle of an event`)
  }
}

function watchParser<T extends Watched>(response: KubeResponse, source: ResourceSource<T>): WatchParser<T> {
  const type = response.headers['content-type'] ?? ''
  const { fromJson, fromProtobuf } = source.decoder
  if (type.startsWith(PROTOBUF_MEDIA_TYPE) && fromProtobuf) return new ProtobufWatchParser(fromProtobuf)
  if (type.startsWith('application/json')) return new JsonWatchParser(fromJson)
  throw wrongMediaType({ verb: 'watch', ...source.purpose }, type)
}
