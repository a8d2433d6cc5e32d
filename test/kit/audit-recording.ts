import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import type { RecordedResource } from '../../server/audit-log/config.ts'
import { objectHash } from '../../server/audit-log/object-hash.ts'
import { RECORDED_RESOURCES, unrecordedNamespaces } from '../../server/audit-log/recorded-resources.ts'
import { Recorder, type RecorderDeps } from '../../server/audit-log/recorder/recorder.ts'
import { webhooksOf } from '../../server/audit-log/registration/webhooks-of.ts'
import type { AuditStore, ChangeQuery, NumberedChange } from '../../server/audit-log/store/audit-store.ts'
import { openAuditStore } from '../../server/audit-log/store/open-audit-store.ts'
import { recordedRequest } from '../../server/audit-log/webhook/recorded-request.ts'
import { connect } from '../../src/core/kube/connect.ts'
import { loadConnection } from '../../src/core/kube/kubeconfig.ts'
import type { KubeRequest, KubeResponse, KubeTransport } from '../../src/core/kube/transport.ts'
import { DeckError } from '../../src/core/lib/errors.ts'
import { systemClock } from '../../src/core/lib/time.ts'
import { createRedactor } from '../../src/core/model/redact-object.ts'
import type { AdmissionRequest } from '../../src/core/wire/admission-review.ts'
import { RECORDS_ALL } from './audit-config.ts'
import { HandJournal } from './hand-journal.ts'
import { CertificateAuthority } from './kubernetes/certificates.ts'
import type { ControlPlane } from './kubernetes/control-plane.ts'
import { recordedLog, type RecordedLog } from './recorded-log.ts'
import { everything } from './sample-change.ts'

/** How a recording is set up. */
export interface AuditRecordingOptions {
  readonly resources?: readonly RecordedResource[]
  /** Whose reviews another webhook, beside ours, refuses. */
  readonly refuses?: (request: AdmissionRequest) => boolean
  readonly join?: RecorderDeps['join']
}

/** Both witnesses and the recorder in this process, on a real API server. */
export interface AuditRecording {
  readonly journal: HandJournal
  readonly store: AuditStore
  readonly log: RecordedLog
  readonly recorder: Recorder
  /** Reviews of dry runs, which are answered and not kept. */
  readonly dryRuns: AdmissionRequest[]
  /** Resolves when the recorder has said what there is to say about everything that came so far. */
  settled(): Promise<void>
  /** All changes that match, the oldest first. */
  changes(query?: Partial<ChangeQuery>): Promise<NumberedChange[]>
  /** Ends the recorder and opens its store again for the next; nothing is recorded in between. */
  pauseRecorder(): Promise<void>
  resumeRecorder(): Promise<void>
  /** Cuts the recorder off from the API server, which goes on asking the webhook. */
  cut(): void
  mend(): void
  /** Takes the webhooks away, so that nothing is reviewed. */
  unregister(): Promise<void>
  register(): Promise<void>
  stop(): Promise<void>
}

const WEBHOOKS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations'
const KEY = 'key of the test'
const WRITER = 7
/** The endpoint is in the process of the test: on a busy machine it may need longer than the second that a companion has. */
const ANSWER_SECONDS = 20

/** Starts recording on a control plane of the test's own. */
export async function startAuditRecording(
  cluster: ControlPlane,
  options: AuditRecordingOptions = {},
): Promise<AuditRecording> {
  const { resources = RECORDED_RESOURCES, refuses = () => false } = options
  const folder = mkdtempSync(join(tmpdir(), 'deckwatch-recording-'))
  const [journal, log, dryRuns] = [new HandJournal(), recordedLog(), [] as AdmissionRequest[]]
  const redact = createRedactor({
    hmac: (text) => createHmac('sha256', KEY).update(text).digest('hex'),
    paths: [],
  })
  const endpoint = await startEndpoint((path, request) => {
    if (path === '/refuse') return !refuses(request)
    if (request.dryRun === true) dryRuns.push(request)
    else journal.append({ received: Date.now(), ...recordedRequest(request, redact) })
    return true
  })
  const webhooks = webhooksOf({
    config: RECORDS_ALL,
    resources,
    service: { namespace: 'none', name: 'none', port: 1 },
    path: '/audit',
    bundle: endpoint.bundle,
    ownNamespaces: [],
    ownUsers: [],
  })
  const reaching = (path: string): object => ({
    url: `${endpoint.url}${path}`,
    caBundle: Buffer.from(endpoint.bundle).toString('base64'),
  })
  const transport = new CuttableTransport(
    connect(await loadConnection({ kubeconfig: cluster.adminKubeconfig })),
  )
  const open = (): Promise<AuditStore> => openAuditStore({ folder, url: '' }, { clock: systemClock, log })
  let registered = false
  let run = await startRecorder()

  async function startRecorder() {
    const store = await open()
    const recorder = new Recorder({
      journal,
      progress: journal,
      store,
      transport,
      clock: systemClock,
      log,
      resources,
      reading: { redact, hash: (object) => objectHash(object, KEY) },
      rules: { config: RECORDS_ALL, namespaces: unrecordedNamespaces([]) },
      writers: { journal: WRITER, watch: 1 + Math.floor(Math.random() * 2 ** 30) },
      limits: {
        maxAgeMs: 86_400_000,
        secretsMaxAgeMs: 86_400_000,
        perObject: 1000,
        keepLast: 10,
        maxBytes: 1e9,
      },
      failing: () => (registered ? undefined : 'webhook was removed'),
      join: options.join ?? { settleMs: 1000, landMs: 5000 },
      times: { backoff: { firstMs: 100, maxMs: 1000 } },
    })
    const stopping = new AbortController()
    const ended = recorder.run(stopping.signal)
    ended.catch(() => undefined)
    return { store, recorder, stopping, ended }
  }

  async function stopRecorder(): Promise<void> {
    run.stopping.abort()
    await run.ended
    await run.store.close()
  }

  async function until(condition: () => boolean): Promise<void> {
    const limit = performance.now() + 120_000
    while (!condition()) {
      if (performance.now() > limit) throw new Error(`not settled: ${JSON.stringify(run.recorder.counts)}`)
      await pause(20)
    }
  }

  const recording: AuditRecording = {
    journal,
    log,
    dryRuns,
    get store() {
      return run.store
    },
    get recorder() {
      return run.recorder
    },
    async settled() {
      // What the watch brings a moment later belongs to it.
      await pause(500)
      await until(() => {
        const { readSeq = 0, ready, counts } = run.recorder
        const { waiting, oldestPending } = counts
        const read = readSeq >= journal.entries.length
        return ready.ok && read && waiting === 0 && oldestPending === undefined
      })
      const { commits } = run.recorder.counts
      await until(() => run.recorder.counts.commits > commits)
    },
    async changes(query = {}) {
      const all = await run.store.page(everything(query), 1000, undefined)
      return all.items.toReversed()
    },
    async pauseRecorder() {
      await stopRecorder()
    },
    async resumeRecorder() {
      run = await startRecorder()
      await until(() => run.recorder.ready.ok)
    },
    cut: () => transport.cut(),
    mend: () => transport.mend(),
    async register() {
      const patient = webhooks.map((webhook) => ({ ...webhook, timeoutSeconds: ANSWER_SECONDS }))
      const refusing = { ...patient[0], name: 'refuses.example.org', clientConfig: reaching('/refuse') }
      const changes = patient.map((webhook) => ({ ...webhook, clientConfig: reaching('/audit') }))
      await cluster.admin.send('POST', WEBHOOKS, {
        metadata: { name: 'deckwatch-audit-log' },
        webhooks: [...changes, refusing],
      })
      await reviewed(true)
      registered = true
    },
    async unregister() {
      await cluster.admin.text('DELETE', `${WEBHOOKS}/deckwatch-audit-log`)
      await reviewed(false)
      registered = false
    },
    async stop() {
      await stopRecorder()
      if (registered) await cluster.admin.text('DELETE', `${WEBHOOKS}/deckwatch-audit-log`)
      transport.close()
      await endpoint.stop()
      rmSync(folder, { recursive: true })
    },
  }

  /** The API server takes up a registration, or its end, after a moment. */
  async function reviewed(yes: boolean): Promise<void> {
    for (const limit = performance.now() + 120_000; ; await pause(20)) {
      const before = dryRuns.length
      const path = '/api/v1/namespaces/default/configmaps?dryRun=All'
      await cluster.admin.send('POST', path, { metadata: { generateName: 'probe-' } })
      if (dryRuns.length > before === yes) return
      if (performance.now() > limit) throw new Error(`the webhook is ${yes ? 'not' : 'still'} asked`)
    }
  }

  await until(() => run.recorder.ready.ok)
  await recording.register()
  return recording
}

/** A way to the API server that can be cut: what is open ends, and nothing else gets through. */
class CuttableTransport implements KubeTransport {
  readonly #inner: KubeTransport
  #cut: AbortController | undefined
  #open = new AbortController()

  constructor(inner: KubeTransport) {
    this.#inner = inner
  }

  cut(): void {
    this.#cut = new AbortController()
    this.#open.abort()
  }

  mend(): void {
    this.#cut = undefined
    this.#open = new AbortController()
  }

  async send(request: KubeRequest): Promise<KubeResponse> {
    if (this.#cut) throw unreachable()
    const { signal: ended } = this.#open
    const signal = request.signal ? AbortSignal.any([request.signal, ended]) : ended
    try {
      const response = await this.#inner.send({ ...request, signal })
      return { ...response, body: bodyUntil(response.body, ended) }
    } catch (error) {
      throw ended.aborted ? unreachable() : error
    }
  }

  close(): void {
    this.#inner.close()
  }
}

async function* bodyUntil(body: AsyncIterable<Uint8Array>, ended: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (error) {
    throw ended.aborted ? unreachable() : error
  }
}

function unreachable(): DeckError {
  return new DeckError('KUBE_UNREACHABLE', 'the way to the API server is cut')
}

/** A transport as a person. */
export async function transportOf(cluster: ControlPlane, name: string): Promise<KubeTransport> {
  return connect(await loadConnection({ kubeconfig: cluster.user(name, ['system:masters']) }))
}

async function startEndpoint(
  allows: (path: string, request: AdmissionRequest) => boolean,
): Promise<{ readonly url: string; readonly bundle: string; stop(): Promise<void> }> {
  const authority = new CertificateAuthority('audit-recording')
  const { certificate: cert, key } = authority.issue({ commonName: 'webhook', hosts: ['127.0.0.1'] })
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const review = (await json(request)) as { readonly request: AdmissionRequest }
    const allowed = allows((request.url ?? '').split('?')[0] ?? '', review.request)
    response.setHeader('content-type', 'application/json')
    response.end(
      JSON.stringify({
        apiVersion: 'admission.k8s.io/v1',
        kind: 'AdmissionReview',
        response: { uid: review.request.uid, allowed },
      }),
    )
  }
  const server = createServer({ cert, key }, (request, response) => void answer(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `https://127.0.0.1:${port}`,
    bundle: authority.certificate,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
