import { Args } from '@oclif/core'
import { connect } from '../../../core/kube/connect.ts'
import { loadConnection } from '../../../core/kube/kubeconfig.ts'
import { plural } from '../../../core/lib/text.ts'
import { createPalette, type ColorMode } from '../../render/palette.ts'
import { Progress } from '../../render/progress.ts'
import { followImages } from '../../features/images/follow-images.ts'
import { podsAnswer, type ImagesAnswer } from '../../features/images/images-answer.ts'
import { listImages } from '../../features/images/list-images.ts'
import type { ImagesPorts, PodQuery } from '../../features/images/ports.ts'
import { connectionOverrides } from '../../shell/connection-flags.ts'
import { companionMemory } from '../../shell/companion-memory.ts'
import { DeckCommand } from '../../shell/deck-command.ts'
import { VERSION } from '../../shell/version.ts'
import { clusterPorts } from './cluster-ports.ts'
import type { CompanionWay, CompanionWayOptions } from './companion-way.ts'
import { imagesFlags } from './flags.ts'
import { hintAtNamespace, hintCommand } from './hint-command.ts'
import { imagesOptions, type ImagesOptions } from './options.ts'
import { createDocumentPrinter } from './print-document.ts'
import { asksNodes, printImages } from './print-images.ts'
import { printFollow } from './print-follow.ts'
import { createSorter } from './sort.ts'

/** `kubectl images [REGEX]`: which images run where; `--follow`: which come and go. */
export class ImagesCommand extends DeckCommand {
  static override readonly id = 'images'
  static override readonly summary = 'Which images run where, and the stream of images that come and go'
  static override readonly description =
    'Every container, init container, sidecar, ephemeral container and image volume of every pod counts. Digests are those that really run. Needs the right to list pods (to watch them, with --follow); sizes need the right to list nodes. Where the cluster has a companion (kubectl deckwatch install), it answers rows by image and the stream, whose first lines then tell since when each image is in use; other views, selectors, --running-only and -o wide always ask for pods.'
  static override readonly usage = 'images [REGEX] [flags]'
  static override readonly args = {
    regex: Args.string({
      description: 'keep what has this in its pod name or image (unanchored)',
      // Else oclif takes what stands in a pipe for it, and eats the input of `while read`.
      ignoreStdin: true,
    }),
  }
  static override readonly flags = imagesFlags
  static override readonly examples = [
    { description: 'Images of the current namespace', command: 'kubectl images' },
    {
      description: 'Images of the whole cluster, largest first',
      command: 'kubectl images -A --sort-by size --reverse',
    },
    { description: 'Which pods run which digest of redis', command: 'kubectl images redis -A --by pod' },
    { description: 'The rows of kubectl-images, with sizes', command: 'kubectl images -c 0,1,2,3,5' },
    { description: 'What comes and goes from now on', command: 'kubectl images -A --follow --no-initial' },
    { description: 'What came and went in the last two hours', command: 'kubectl images -A --since 2h' },
  ]

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(ImagesCommand)
    const { session } = this
    const options = imagesOptions(flags, args.regex, session.clock.now())
    const sorter = await createSorter(options.sort, options.view)
    const printDocument = await createDocumentPrinter(options.format, {
      noHeaders: flags['no-headers'],
      isTTY: session.stdout.isTerminal,
    })
    const connection = await loadConnection(connectionOverrides(flags))
    const transport = connect(connection, { userAgent: `deckwatch/${VERSION}` })
    const ended = new AbortController()
    const signal = AbortSignal.any([session.signal, ended.signal])
    const calledAs = `${session.calledAs} images`
    try {
      const { clock } = session
      const ports = clusterPorts({ transport, connection, clock, protobuf: !flags['no-protobuf'] })
      const query: PodQuery = {
        namespace: flags['all-namespaces'] ? undefined : connection.namespace,
        labelSelector: flags.selector,
        fieldSelector: flags['field-selector'],
      }
      const { namespace } = query
      const runningOnly = flags['running-only']
      const way = await this.#companion(options, { transport, connection, namespace, signal })
      if (flags.follow || options.since !== undefined) {
        const { verbose, follow } = flags
        const { match, since, format } = options
        const followed = { ...query, match, since, runningOnly, skipInitial: flags['no-initial'] }
        const items = !way
          ? followImages({ ...ports, clock }, followed, signal)
          : !follow && since !== undefined
            ? way.replay(since, match)
            : way.follow({ ...ports, clock }, followed)
        return await printFollow(items, { json: format.type === 'json', verbose, namespace }, session)
      }
      const answer =
        (await way?.answer(options.match)) ?? (await this.#ask(ports, query, options, runningOnly, signal))
      const palette = await createPalette({
        color: flags.color as ColorMode,
        isTTY: session.stdout.isTerminal,
        env: session.environment,
      })
      const command = hintCommand(calledAs, flags)
      const noHeaders = flags['no-headers']
      const print = { ...options, namespace, noHeaders, palette, sorter, printDocument, command }
      await printImages(answer, print, session)
    } catch (error) {
      throw hintAtNamespace(error, calledAs, flags, connection.namespace)
    } finally {
      ended.abort()
      transport.close()
    }
  }

  /** The way to the companion, where it may be asked and is not known to be absent. */
  async #companion(
    { companion: mode }: ImagesOptions,
    cluster: Pick<CompanionWayOptions, 'transport' | 'connection' | 'namespace' | 'signal'>,
  ): Promise<CompanionWay | undefined> {
    if (mode === undefined) return undefined
    const { session } = this
    const memory = companionMemory(cluster.connection, session.environment, session.clock)
    // The rest is loaded only where it may be of use.
    if (mode === 'auto' && memory.recall()?.state === 'absent') return undefined
    const { CompanionWay } = await import('./companion-way.ts')
    return CompanionWay.find({ ...cluster, memory, mode, session })
  }

  async #ask(
    ports: ImagesPorts,
    query: PodQuery,
    options: ImagesOptions,
    runningOnly: boolean,
    signal: AbortSignal,
  ): Promise<ImagesAnswer> {
    const { stderr, clock } = this.session
    const progress = new Progress({
      // Opened as a stream only when there is something to paint.
      stream: {
        isTTY: stderr.isTerminal,
        get columns() {
          return process.stderr.columns
        },
        write: (text) => process.stderr.write(text),
      },
      clock,
    })
    let pods = 0
    const counted: ImagesPorts = {
      ...ports,
      async *listPods(podQuery, asking) {
        progress.update('listing pods')
        for await (const batch of ports.listPods(podQuery, asking)) {
          progress.update(`${plural((pods += batch.length), 'pod')}, listing more`)
          yield batch
        }
      },
    }
    try {
      const inUse = await listImages(
        counted,
        {
          ...query,
          match: options.match,
          runningOnly,
          sizes: asksNodes(options),
          exactOwners: options.format.type === 'wide',
        },
        signal,
      )
      return podsAnswer(inUse, query.namespace)
    } finally {
      progress.stop()
    }
  }
}
