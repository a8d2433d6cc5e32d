import { readFile } from 'node:fs/promises'
import { builtinResources } from '../../../core/kube/api-resources-builtin.ts'
import { visible } from '../../../core/lib/text.ts'
import type { KubernetesObject } from '../../../core/wire/admission-review.ts'
import { localObjects, ownerlessNote } from '../../features/blame/local-input.ts'
import { ownerHistory } from '../../features/blame/owner-history.ts'
import type { ResourceType } from '../../features/blame/ports.ts'
import { changeSelector } from '../../features/blame/select.ts'
import type { Session } from '../../shell/session.ts'
import type { DocumentPrinter } from '../images/print-document.ts'
import type { BlameOptions } from './options.ts'
import { printBlamed } from './print-blamed.ts'
import { printChanges } from './print-changes.ts'
import { newestOfEach } from './recorded-changes.ts'

/** Answers from the managedFields of objects in a file or in stdin (`-`), without any cluster. */
export async function blameInput(
  input: string,
  options: BlameOptions,
  printDocument: DocumentPrinter | undefined,
  session: Session,
): Promise<void> {
  const { isatty } = await import('node:tty')
  const stdin = { isTerminal: isatty(0), read: readStdin }
  const sources = {
    readFile: (path: string, signal: AbortSignal) => readFile(path, { encoding: 'utf8', signal }),
    stdin,
  }
  const objects = await localObjects(input, sources, session.signal)
  const note = ownerlessNote(objects)
  if (options.format === 'yaml') {
    await printBlamed(
      objects.map((object) => ({ object })),
      options,
      session,
    )
  } else {
    const isMeant = changeSelector(options.filters)
    const changes = objects
      .flatMap((object) => ownerHistory(object, typeOf(object), options.include))
      .filter(isMeant)
      .toSorted((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0))
    const answer = {
      changes: newestOfEach(changes, options.maxHistory),
      extra: { recordingSince: '', gaps: [] },
      nothing: changes.length === 0,
      failures: [],
    }
    await printChanges({ options, session, subject: subjectOf(objects, input) }, answer, printDocument)
  }
  if (note !== undefined) await session.stderr.write(`${visible(note)}\n`)
}

function subjectOf(objects: readonly KubernetesObject[], input: string) {
  const [first] = objects
  const { name = '', namespace } = first?.metadata ?? {}
  const single = objects.length === 1
  const namespaces = new Set(objects.map(({ metadata }) => metadata?.namespace ?? ''))
  const text = single
    ? `${first?.kind?.toLowerCase() ?? 'object'}/${name}${namespace ? ` in ${namespace}` : ''}`
    : `objects in ${input === '-' ? 'stdin' : input}`
  return { text, single, allNamespaces: namespaces.size > 1 }
}

/** A file says the kind and not the plural: Kubernetes' own are known, others are guessed as its tools guess them. */
function typeOf({ apiVersion = '', kind = '', metadata }: KubernetesObject): ResourceType {
  const slash = apiVersion.lastIndexOf('/')
  const group = slash < 0 ? '' : apiVersion.slice(0, slash)
  const version = apiVersion.slice(slash + 1)
  const known = builtinResources().find((type) => type.kind === kind && type.group === group)
  const singular = kind.toLowerCase()
  const namespaced = metadata?.namespace !== undefined
  return { group, version, singular, kind, namespaced, resource: known?.resource ?? pluralOf(singular) }
}

/** k8s.io/apimachinery, meta.UnsafeGuessKindToResource. */
function pluralOf(singular: string): string {
  if (singular.endsWith('s')) return `${singular}es`
  return singular.endsWith('y') ? `${singular.slice(0, -1)}ies` : `${singular}s`
}

async function readStdin(signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = []
  const abort = (): void => void process.stdin.destroy(signal.reason as Error)
  signal.addEventListener('abort', abort, { once: true })
  try {
    for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk as Buffer))
  } finally {
    signal.removeEventListener('abort', abort)
  }
  return Buffer.concat(chunks).toString('utf8')
}
