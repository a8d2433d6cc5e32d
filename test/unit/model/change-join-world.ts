import type {
  ReviewFacts,
  SeenState,
  SilentReason,
  Transition,
} from '../../../src/core/model/change-facts.ts'

/** One write that landed, as the API server knows it. */
export interface Landed {
  readonly version: string
  readonly uid: string
  /** The review of the try that landed; undefined where the webhook was not asked. */
  readonly review: string | undefined
  readonly user: string
  readonly kind: 'write' | 'status' | 'excluded' | 'missed'
}

/** What a review was for. */
export type ReviewFate = 'try' | 'refused' | 'taken' | 'forged'

interface Stored {
  readonly uid: string
  readonly name: string
  readonly version: number
  readonly fields: Readonly<Record<string, number>>
  readonly replicas: number
  readonly finalizers: number
  readonly deleting: boolean
  readonly status: number
  readonly managed: string
}

const RESOURCE = 'deployments.apps'

/** An API server with optimistic writes: each try of each write is reviewed, and at one version one write lands. */
export class JoinWorld {
  now = 1_000_000
  readonly reviews: ReviewFacts[] = []
  readonly fates: ReviewFate[] = []
  readonly transitions: Transition[] = []
  readonly landed: Landed[] = []
  readonly #objects = new Map<string, Stored>()
  #version = 9
  #uids = 0;

  /** A write of one field; the steps between its tries let others write. */
  *update(user: string, name: string, field: string, value: number, refused: boolean): Generator<void, void> {
    yield* this.#tries(user, name, `.${field}`, refused, '', (old) =>
      old.fields[field] === value ? undefined : { ...old, fields: { ...old.fields, [field]: value } },
    )
  }

  *scale(user: string, name: string, replicas: number, refused: boolean): Generator<void, void> {
    yield* this.#tries(user, name, '.replicas', refused, 'scale', (old) =>
      old.replicas === replicas ? undefined : { ...old, replicas },
    )
  }

  /** Takes the finalizer away; where the object is being deleted it ends with it. */
  *finalize(user: string, name: string): Generator<void, void> {
    yield* this.#tries(user, name, '.finalizers', false, '', (old) =>
      old.finalizers === 0 ? undefined : { ...old, finalizers: 0 },
    )
  }

  *create(user: string, name: string, finalizers: number, refused: boolean): Generator<void, void> {
    for (let tries = 0; tries < 3; tries += 1) {
      const taken = this.#objects.has(name)
      const object: Stored = {
        uid: `u${++this.#uids}`,
        name,
        version: 0,
        fields: {},
        replicas: 1,
        finalizers,
        deleting: false,
        status: 0,
        managed: this.#managed(user),
      }
      const review = this.#review(
        user,
        'CREATE',
        '',
        undefined,
        object,
        '',
        refused ? 'refused' : taken ? 'taken' : 'try',
      )
      yield
      if (refused) return
      if (this.#objects.has(name)) {
        this.fates[this.reviews.length - 1] ??= 'taken'
        continue
      }
      this.#store(undefined, object, review, user, 'write')
      return
    }
  }

  *remove(user: string, name: string, refused: boolean): Generator<void, void> {
    for (let tries = 0; tries < 5; tries += 1) {
      const old = this.#objects.get(name)
      if (!old || old.deleting) return
      const review = this.#review(user, 'DELETE', '', old, undefined, '', refused ? 'refused' : 'try')
      yield
      if (refused) return
      if (this.#objects.get(name) !== old) continue
      if (old.finalizers > 0) this.#store(old, { ...old, deleting: true }, review, user, 'write')
      else this.#end(old, review, user)
      return
    }
  }

  /** A write that no webhook was asked about. */
  *unseen(name: string, kind: 'status' | 'excluded' | 'missed', value: number): Generator<void, void> {
    const old = this.#objects.get(name)
    if (!old) return
    const next =
      kind === 'status'
        ? { ...old, status: old.status + 1, managed: `status${value}` }
        : { ...old, fields: { ...old.fields, [kind]: (old.fields[kind] ?? 0) + 1 } }
    this.#store(old, next, undefined, '', kind)
    yield
  }

  /** Somebody who knows the path of the webhook tells of a write that nobody made. */
  *forge(name: string, value: number): Generator<void, void> {
    const old = this.#objects.get(name)
    if (!old) return
    const made = { ...old, fields: { ...old.fields, forged: value } }
    if (value % 3 === 0) this.#review('mallory', 'UPDATE', '', old, made, '.forged', 'forged')
    else if (value % 3 === 1) {
      this.#review('mallory', 'UPDATE', '', { ...old, version: old.version + 1 }, made, '.forged', 'forged')
    } else {
      this.#review('mallory', 'CREATE', '', undefined, { ...made, uid: `made-up-${value}` }, '', 'forged')
    }
    yield
  }

  *#tries(
    user: string,
    name: string,
    paths: string,
    refused: boolean,
    subresource: string,
    change: (old: Stored) => Stored | undefined,
  ): Generator<void, void> {
    for (let tries = 0; tries < 6; tries += 1) {
      const old = this.#objects.get(name)
      const changed = old && change(old)
      if (!old || !changed) return
      const next = { ...changed, managed: this.#managed(user) + subresource }
      const review = this.#review(user, 'UPDATE', subresource, old, next, paths, refused ? 'refused' : 'try')
      yield
      if (refused) return
      if (this.#objects.get(name) !== old) continue
      if (next.deleting && next.finalizers === 0) this.#end(old, review, user)
      else this.#store(old, next, review, user, 'write')
      return
    }
  }

  /** managedFields tell the manager and the second: two users of one tool are alike in them. */
  #managed(user: string): string {
    return `${user === 'carol' ? 'helm' : 'kubectl'}@${Math.floor(this.now / 1000)}`
  }

  #review(
    user: string,
    operation: ReviewFacts['operation'],
    subresource: string,
    old: Stored | undefined,
    next: Stored | undefined,
    paths: string,
    fate: ReviewFate,
  ): string {
    const id = `1-${this.reviews.length + 1}`
    const object = next ?? old
    const scale = subresource === 'scale'
    this.reviews.push({
      id,
      time: this.now,
      operation,
      subresource,
      resource: RESOURCE,
      uid: object?.uid ?? '',
      name: object?.name ?? '',
      oldVersion: old ? String(old.version) : '',
      oldHash: old && !scale ? stateOf(old).hash : '',
      oldContent: old && !scale ? stateOf(old).content : '',
      newHash: next && !scale ? stateOf(next).hash : '',
      newContent: next && !scale ? stateOf(next).content : '',
      replicas: scale ? next?.replicas : undefined,
      ends: operation === 'UPDATE' && next?.deleting === true && next.finalizers === 0,
      finishes: false,
      user: { username: user, groups: [], extra: {} },
      paths,
      truncated: false,
    })
    this.fates.push(fate)
    return id
  }

  #store(
    old: Stored | undefined,
    next: Stored,
    review: string | undefined,
    user: string,
    kind: Landed['kind'],
  ): void {
    const stored = { ...next, version: ++this.#version }
    this.#objects.set(next.name, stored)
    this.#tell(old, stored, false, review, user, kind)
  }

  #end(old: Stored, review: string, user: string): void {
    this.#objects.delete(old.name)
    this.#tell(old, { ...old, version: ++this.#version }, true, review, user, 'write')
  }

  #tell(
    old: Stored | undefined,
    stored: Stored,
    gone: boolean,
    review: string | undefined,
    user: string,
    kind: Landed['kind'],
  ): void {
    const silent: SilentReason | undefined =
      kind === 'status' ? 'noise' : kind === 'excluded' ? 'excluded' : undefined
    this.landed.push({ version: String(stored.version), uid: stored.uid, review, user, kind })
    this.transitions.push({
      resource: RESOURCE,
      uid: stored.uid,
      name: stored.name,
      time: this.now,
      previous: old && stateOf(old),
      next: stateOf(stored),
      gone,
      deletion: stored.deleting && old?.deleting === false,
      replicas: { from: old?.replicas, to: stored.replicas },
      subresource: '',
      skipped: false,
      silent,
      mark: this.reviews.length,
    })
  }
}

function stateOf(object: Stored): SeenState {
  const { version, managed, status, ...content } = object
  return {
    version: String(version),
    hash: JSON.stringify([managed, status, content]),
    content: JSON.stringify(content),
  }
}
