import { Args } from '@oclif/core'
import { connect } from '../../../core/kube/connect.ts'
import { loadConnection } from '../../../core/kube/kubeconfig.ts'
import { DeckError } from '../../../core/lib/errors.ts'
import { plural } from '../../../core/lib/text.ts'
import { createPalette, type ColorMode } from '../../render/palette.ts'
import { Progress } from '../../render/progress.ts'
import { followImages } from '../../features/images/follow-images.ts'
import { listImages } from '../../features/images/list-images.ts'
import type { ImagesPorts, PodQuery } from '../../features/images/ports.ts'
import { connectionOverrides } from '../../shell/connection-flags.ts'
import { DeckCommand } from '../../shell/deck-command.ts'
import { VERSION } from '../../shell/version.ts'
import { clusterPorts } from './cluster-ports.ts'
import { imagesFlags } from './flags.ts'
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
    'Every container, init container, sidecar, ephemeral container and image volume of every pod counts. Digests are those that really run. Needs the right to list pods (to watch them, with --follow); sizes need the right to list nodes.'
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
  ]

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(ImagesCommand)
    const { session } = this
    const options = imagesOptions(flags, args.regex)
    const sorter = await createSorter(options.sort, options.view)
    const printDocument = await createDocumentPrinter(options.format, {
      noHeaders: flags['no-headers'],
      isTTY: session.stdout.isTerminal,
    })
    const connection = await loadConnection(connectionOverrides(flags))
    const transport = connect(connection, { userAgent: `deckwatch/${VERSION}` })
    try {
      const ports = clusterPorts({
        transport,
        connection,
        clock: session.clock,
        protobuf: !flags['no-protobuf'],
      })
      const query: PodQuery = {
        namespace: flags['all-namespaces'] ? undefined : connection.namespace,
        labelSelector: flags.selector,
        fieldSelector: flags['field-selector'],
      }
      const runningOnly = flags['running-only']
      if (flags.follow) {
        const { verbose, 'no-initial': skipInitial } = flags
        const items = followImages(
          { ...ports, clock: session.clock },
          { ...query, match: options.match, runningOnly, skipInitial },
          session.signal,
        )
        return await printFollow(items, { json: options.format.type === 'json', verbose }, session)
      }
      const answer = await this.#ask(ports, query, options, runningOnly)
      const palette = await createPalette({
        color: flags.color as ColorMode,
        isTTY: session.stdout.isTerminal,
        env: session.environment,
      })
      const { namespace } = query
      const command = commandLine(flags, session.calledAs)
      const print = {
        ...options,
        namespace,
        noHeaders: flags['no-headers'],
        palette,
        sorter,
        printDocument,
        command,
      }
      await printImages(answer, print, session)
    } catch (error) {
      const inOne = (namespace: string): string =>
        commandLine({ ...flags, 'all-namespaces': false, namespace }, session.calledAs)
      throw hintAtNamespace(error, inOne, connection.namespace)
    } finally {
      transport.close()
    }
  }

  async #ask(ports: ImagesPorts, query: PodQuery, options: ImagesOptions, runningOnly: boolean) {
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
      async *listPods(podQuery, signal) {
        progress.update('listing pods')
        for await (const batch of ports.listPods(podQuery, signal)) {
          progress.update(`${plural((pods += batch.length), 'pod')}, listing more`)
          yield batch
        }
      },
    }
    try {
      return await listImages(
        counted,
        {
          ...query,
          match: options.match,
          runningOnly,
          sizes: asksNodes(options),
          exactOwners: options.format.type === 'wide',
        },
        this.session.signal,
      )
    } finally {
      progress.stop()
    }
  }
}

/** The flags that say which pods of which cluster are meant, and as whom they are asked for; none is a secret. */
const SCOPE_FLAGS = [
  'kubeconfig',
  'context',
  'cluster',
  'user',
  'server',
  'as',
  'selector',
  'field-selector',
] as const

type ScopeFlags = { readonly [Name in (typeof SCOPE_FLAGS)[number] | 'namespace']?: string | undefined } & {
  readonly 'all-namespaces': boolean
  readonly 'running-only': boolean
}

/** The command that a hint repeats: about the same pods of the same cluster, ready for a shell. */
function commandLine(flags: ScopeFlags, calledAs: string): string {
  const words = SCOPE_FLAGS.flatMap((name) => withValue(`--${name}`, flags[name]))
  const scope = flags['all-namespaces'] ? ['-A'] : withValue('-n', flags.namespace)
  return [calledAs, 'images', ...scope, ...words, ...(flags['running-only'] ? ['--running-only'] : [])].join(
    ' ',
  )
}

function withValue(flag: string, value: string | undefined): string[] {
  if (value === undefined) return []
  return [flag, /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", String.raw`'\''`)}'`]
}

/** Who may not read all namespaces is told the command for one: the context's own, where it has one. */
function hintAtNamespace(error: unknown, command: (namespace: string) => string, own: string): unknown {
  if (!(error instanceof DeckError) || !error.hint?.includes('-n NAMESPACE')) return error
  // Without the full stop, which would be copied with the command.
  const hint = error.hint.replace(/-n NAMESPACE\.?/, command(own === 'default' ? 'NAMESPACE' : own))
  return new DeckError(error.code, error.message, { hint, status: error.status, cause: error })
}
