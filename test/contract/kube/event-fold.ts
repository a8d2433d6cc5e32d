import assert from 'node:assert/strict'
import type { ListWatchEvent } from '../../../src/core/kube/list-watch.ts'
import type { PodSlice } from '../../../src/core/wire/pod.ts'

/** Adds events up to the objects that are there, and fails on every event that does not fit what came before it. */
export class EventFold {
  readonly #pods = new Map<string, PodSlice>()
  readonly #names = new Map<string, string>()
  readonly #gone = new Set<string>()
  #synced = false
  #down = false
  /** `interrupted` and `resumed` in the order they came. */
  readonly outages: string[] = []

  /** uid → resourceVersion of all that is there. */
  get contents(): ReadonlyMap<string, string> {
    return new Map([...this.#pods].map(([uid, pod]) => [uid, pod.resourceVersion]))
  }

  apply(event: ListWatchEvent<PodSlice>): void {
    switch (event.type) {
      case 'added':
        assert.equal(event.initial, !this.#synced, 'initial is told until the first list is whole')
        assert.ok(!this.#pods.has(event.object.uid), `${event.object.name} was added twice`)
        assert.ok(!this.#gone.has(event.object.uid), `${event.object.name} came back from the dead`)
        assert.equal(this.#names.get(event.object.name), undefined, `${event.object.name} was there already`)
        this.#pods.set(event.object.uid, event.object)
        this.#names.set(event.object.name, event.object.uid)
        break
      case 'modified':
        assert.deepEqual(event.previous, this.#pods.get(event.object.uid), 'previous is what was told last')
        assert.notEqual(event.object.resourceVersion, event.previous.resourceVersion)
        this.#pods.set(event.object.uid, event.object)
        break
      case 'deleted':
        assert.ok(this.#pods.delete(event.object.uid), `${event.object.name} was deleted without being there`)
        this.#names.delete(event.object.name)
        this.#gone.add(event.object.uid)
        break
      case 'synced':
        assert.ok(!this.#synced, 'synced was told twice')
        assert.equal(event.count, this.#pods.size)
        this.#synced = true
        break
      case 'interrupted':
        assert.ok(!this.#down, 'interrupted was told twice in one outage')
        this.#down = true
        this.outages.push('interrupted')
        break
      case 'failing':
        assert.ok(this.#down, 'an outage was told to last without having begun')
        break
      case 'resumed':
        assert.ok(this.#down, 'resumed was told without an outage')
        assert.ok(event.downMs >= 0)
        this.#down = false
        this.outages.push(`resumed by ${event.how}`)
        break
      default:
        event satisfies never
    }
  }
}
