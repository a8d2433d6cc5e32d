import assert from 'node:assert/strict'
import { withSourceOperations } from '../../../src/cli/features/blame/change-sources.ts'
import type { SourceObject } from '../../../src/core/model/change-via-source.ts'
import type { KubernetesObject } from '../../../src/core/wire/admission-review.ts'
import type { Change } from '../../../src/core/wire/change.ts'
import { sampleChange } from '../../kit/sample-change.ts'

const { signal } = new AbortController()

const change = (source: string, time: string, revision = ''): Change => ({
  apiVersion: 'deckwatch.dev/v1alpha1',
  kind: 'Change',
  time,
  ...sampleChange({
    actor: 'service-account',
    via: { manager: 'argocd-controller', tool: 'argo-cd', source, revision, manual: false },
  }),
})

const shop: KubernetesObject = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  status: {
    operationState: {
      startedAt: '2026-11-21T11:00:00Z',
      finishedAt: '2026-11-21T11:00:10Z',
      operation: { initiatedBy: { username: 'dev-2@example.org' } },
      syncResult: { revision: '9f3c2e1' },
    },
  },
}

/** Reads the one Application there is, and counts. */
function reader(): {
  readonly asked: string[]
  readonly read: (source: SourceObject) => Promise<KubernetesObject | undefined>
} {
  const asked: string[] = []
  return {
    asked,
    read: ({ resource, namespace, name }) => {
      asked.push(`${resource} ${namespace}/${name}`)
      return Promise.resolve(name === 'shop' ? shop : undefined)
    },
  }
}

const told = (changes: readonly Change[]): string[] =>
  changes.map(({ via }) => `${via.source}@${via.revision} by ${via.initiatedBy}`)

describe('Changes of GitOps tools', () => {
  it('are told with their revision and who had asked for it, and each source is read once', async () => {
    const { asked, read } = reader()
    const changes = [
      change('Application argocd/shop', '2026-11-21T11:00:05.000Z'),
      change('Application argocd/shop', '2026-11-21T11:00:01.000Z'),
      change('Application argocd/shop', '2026-11-20T11:00:01.000Z'),
      change('Application argocd/gone', '2026-11-21T11:00:05.000Z'),
      change('Application argocd/shop', '2026-11-21T11:00:05.000Z', 'aaaaaaa'),
      change('', '2026-11-21T11:00:05.000Z'),
    ]
    assert.deepEqual(told(await withSourceOperations(changes, read, signal)), [
      'Application argocd/shop@9f3c2e1 by dev-2@example.org',
      'Application argocd/shop@9f3c2e1 by dev-2@example.org',
      'Application argocd/shop@ by ',
      'Application argocd/gone@ by ',
      'Application argocd/shop@aaaaaaa by ',
      '@ by ',
    ])
    assert.deepEqual(asked, ['applications argocd/shop', 'applications argocd/gone'])
  })

  it('cost nothing where there are none, and never more than twenty requests', async () => {
    const { asked, read } = reader()
    const plain = [
      change('', '2026-11-21T11:00:05.000Z'),
      change('release shop/web', '2026-11-21T11:00:05.000Z'),
    ]
    assert.equal(await withSourceOperations(plain, read, signal), plain)
    const many = Array.from({ length: 50 }, (_, i) =>
      change(`Application argocd/a${i}`, '2026-11-21T11:00:05.000Z'),
    )
    await withSourceOperations(many, read, signal)
    assert.equal(asked.length, 20)
  })
})
