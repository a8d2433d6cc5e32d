import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import type { V1NamespaceList, V1Pod } from '@kubernetes/client-node'
import type { ImageEvent } from '../../src/core/wire/image.ts'
import { companionImage } from '../kit/companion-image.ts'
import type { ControlPlane } from '../kit/kubernetes/control-plane.ts'
import type { KubectlResult } from '../kit/kubernetes/kubectl.ts'
import { ensureNamespace, namespaceIsFurnished } from '../kit/kubernetes/namespaces.ts'
import type { Node } from '../kit/kubernetes/node.ts'
import { requireNode } from '../kit/kubernetes/shared.ts'
import { kubectlWithPlugins } from '../kit/plugin/plugin-environment.ts'

const PATIENCE_MS = 120_000
const LOOK_MS = 200

/** A cluster with a node that has the companion's image, as somebody sees it who has kubectl and its plugins. */
export class CompanionWorld {
  readonly cluster: ControlPlane
  readonly node: Node
  /** The image that an installation asks for. */
  readonly reference: string
  #before: readonly string[] = []

  private constructor(cluster: ControlPlane, node: Node, reference: string) {
    this.cluster = cluster
    this.node = node
    this.reference = reference
  }

  /** For a suite's `before`: skips where no node can be. */
  static async require(context: Mocha.Context): Promise<CompanionWorld> {
    const { cluster, node } = await requireNode(context)
    // The first image on a machine takes half a minute.
    context.timeout(180_000)
    const { archive, reference } = await companionImage()
    const world = new CompanionWorld(cluster, node, reference)
    // All suites of a process share the node.
    if (world.#ctr('images', 'list', '--quiet', `name==${reference}`) === '')
      await node.importArchive(archive)
    return world
  }

  /** Runs kubectl, plugins too; a bad exit code is an answer. */
  run(...args: readonly string[]): Promise<KubectlResult> {
    return kubectlWithPlugins(this.cluster, args)
  }

  /** What kubectl printed to stdout; throws with all that it said where it fails. */
  async kubectl(...args: readonly string[]): Promise<string> {
    const { stdout, stderr, exitCode } = await this.run(...args)
    assert.equal(exitCode, 0, `kubectl ${args.join(' ')}: ${exitCode}\n${stdout}${stderr}`)
    return stdout
  }

  /** Gives an image of the node's store another name. */
  nameImage(reference: string, name: string): void {
    this.#ctr('images', 'tag', '--force', reference, name)
  }

  /** The names of the companion's pods. */
  async pods(selector = 'app.kubernetes.io/name=deckwatch'): Promise<string[]> {
    const names = await this.kubectl('get', 'pods', '-n', 'deckwatch', '-l', selector, '-o', 'name')
    return names.split('\n').flatMap((line) => (line === '' ? [] : [line.replace('pod/', '')]))
  }

  /** Waits until a Deployment of the companion has all its pods. */
  async rolledOut(name = 'deckwatch'): Promise<void> {
    await this.kubectl('rollout', 'status', `deployment/${name}`, '-n', 'deckwatch', '--timeout=180s')
  }

  /** Remembers every object that there is, for `expectNoTrace`. */
  async remember(): Promise<void> {
    const { admin } = this.cluster
    const { items } = await admin.send<V1NamespaceList>('GET', '/api/v1/namespaces')
    for (const { metadata } of items) await namespaceIsFurnished(admin, metadata?.name ?? '')
    this.#before = await this.#everyObject()
  }

  /** Throws with what is there and was not when it was remembered, or the other way round, and stays so. */
  async expectNoTrace(): Promise<void> {
    await eventually(async () => {
      const now = await this.#everyObject()
      const [before, after] = [new Set(this.#before), new Set(now)]
      assert.deepEqual(
        {
          more: now.filter((object) => !before.has(object)),
          less: this.#before.filter((o) => !after.has(o)),
        },
        { more: [], less: [] },
      )
    })
  }

  /** For a suite's `after`: removes what a failed test has left of the companion. */
  async close(): Promise<void> {
    await this.kubectl('deckwatch', 'uninstall', '--yes')
  }

  /** SIGKILL to the one process on the node that has this in its command line. */
  killProcess(mark: string): void {
    const pids = this.#onNode('pgrep', '--full', '--', mark).trim().split('\n')
    assert.equal(pids.length, 1, `${pids.length} processes have ${mark}`)
    this.#onNode('kill', '-KILL', pids[0] ?? '')
  }

  #ctr(...command: readonly string[]): string {
    return this.#onNode('ctr', '--namespace', 'k8s.io', ...command)
  }

  #onNode(...command: readonly string[]): string {
    const [program = '', ...args] = this.node.command(command)
    return execFileSync(program, args, { encoding: 'utf8' })
  }

  /** Every object of every kind, but those that come and go by themselves. */
  async #everyObject(): Promise<string[]> {
    const kinds = (await this.kubectl('api-resources', '--verbs=list', '--output=name'))
      .split('\n')
      .filter((kind) => kind !== '' && !/^(events|events\.events\.k8s\.io|.*\.deckwatch\.dev)$/.test(kind))
    const columns = 'custom-columns=A:.apiVersion,K:.kind,NS:.metadata.namespace,N:.metadata.name'
    const table = await this.kubectl('get', kinds.join(','), '-A', '--no-headers', `--output=${columns}`)
    return (
      table
        .split('\n')
        .map((line) => line.replaceAll(/ +/g, ' ').trim())
        // A kubelet makes its Lease when it gets to it.
        .filter((line) => line !== '' && !line.includes(' Lease kube-node-lease '))
        .toSorted()
    )
  }
}

/** Waits until it no longer throws; throws its last error after two minutes. */
export async function eventually<T>(check: () => Promise<T>): Promise<T> {
  for (const until = Date.now() + PATIENCE_MS; ;) {
    try {
      return await check()
    } catch (error) {
      if (Date.now() > until) throw error
      await delay(LOOK_MS)
    }
  }
}

/**
 * Pods of images of their own, which no node takes, and a record of what came and went that only what the API server
 * confirmed is in.
 */
export class ImageRecord {
  readonly #cluster: ControlPlane
  readonly #namespace: string
  readonly #entries: { readonly op: string; readonly image: string; readonly uid: string | undefined }[] = []

  private constructor(cluster: ControlPlane, namespace: string) {
    this.#cluster = cluster
    this.#namespace = namespace
  }

  /** With a namespace for its pods, which whoever asked for it deletes. */
  static async open(cluster: ControlPlane, namespace: string): Promise<ImageRecord> {
    await ensureNamespace(cluster.admin, namespace)
    return new ImageRecord(cluster, namespace)
  }

  /** Makes a pod of this name, whose image nobody else uses. */
  async come(name: string): Promise<void> {
    const image = `record.test/${name}:1`
    const pod = await this.#cluster.admin.send<V1Pod>('POST', this.#path(), {
      metadata: { name },
      spec: { containers: [{ name: 'app', image }], nodeSelector: { 'record.test/node': 'none' } },
    })
    this.#entries.push({ op: '+', image, uid: pod.metadata?.uid })
  }

  /** Deletes it again. */
  async go(name: string): Promise<void> {
    const path = `${this.#path()}/${name}?gracePeriodSeconds=0`
    const pod = await this.#cluster.admin.send<V1Pod>('DELETE', path)
    this.#entries.push({ op: '-', image: `record.test/${name}:1`, uid: pod.metadata?.uid })
  }

  /** How many changes there were. */
  get length(): number {
    return this.#entries.length
  }

  /** Throws unless these are exactly the changes, each image's in their order. */
  expect(events: readonly ImageEvent[]): void {
    const told = events.map(({ op, image, pod }) => ({ op, image, uid: pod.uid }))
    assert.deepEqual(byImage(told), byImage(this.#entries))
  }

  #path(): string {
    return `/api/v1/namespaces/${this.#namespace}/pods`
  }
}

function byImage(
  entries: readonly { readonly op: string; readonly image: string; readonly uid: string | undefined }[],
): Record<string, string[]> {
  const groups: Record<string, string[]> = {}
  for (const { op, image, uid } of entries.toSorted((a, b) => (a.image < b.image ? -1 : 1))) {
    ;(groups[image] ??= []).push(`${op} ${uid}`)
  }
  return groups
}
