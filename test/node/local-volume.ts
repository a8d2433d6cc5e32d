import { execFileSync } from 'node:child_process'
import { applyManifests } from '../kit/shop/deploy-shop.ts'
import type { CompanionWorld } from './companion-world.ts'

/** Makes a volume of 1 GiB on the node, in a folder of its name; fsGroup holds there, as on what a StorageClass provides. */
export async function makeLocalVolume(world: CompanionWorld, name: string): Promise<void> {
  const folder = `/var/lib/${name}`
  const [program = '', ...args] = world.node.command(['mkdir', '-p', folder])
  execFileSync(program, args)
  const volume = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      local: { path: folder },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            {
              matchExpressions: [
                { key: 'kubernetes.io/hostname', operator: 'In', values: [world.node.name] },
              ],
            },
          ],
        },
      },
    },
  }
  await applyManifests(world.cluster, [volume])
}
