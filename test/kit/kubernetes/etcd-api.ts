/** The two calls of etcd's JSON gateway that the faults need (etcd API v3, `/v3/kv/put` and `/v3/kv/compaction`). */
export class EtcdApi {
  readonly #url: string

  constructor(url: string) {
    this.#url = url
  }

  /** Writes a key outside Kubernetes' own, so that the revision (which is resourceVersion) goes up; gives it. */
  async raiseRevision(): Promise<string> {
    const key = Buffer.from('/deckwatch-kit/revision').toString('base64')
    const answer = await this.#call('put', { key, value: Buffer.from(String(Date.now())).toString('base64') })
    return answer.header.revision
  }

  /** Forgets every version of every object before this revision. */
  async compact(revision: string): Promise<void> {
    await this.#call('compaction', { revision, physical: true })
  }

  async #call(what: string, body: unknown): Promise<{ header: { revision: string } }> {
    const answer = await fetch(`${this.#url}/v3/kv/${what}`, { method: 'POST', body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(`etcd ${what}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as { header: { revision: string } }
  }
}
