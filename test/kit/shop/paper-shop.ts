import type { V1Pod } from '@kubernetes/client-node'
import type { ControlPlane } from '../kubernetes/control-plane.ts'
import { PaperKubelet, paperDigest, type PaperImage } from './paper-kubelet.ts'
import { SHOP_IMAGES } from './shop-images.ts'
import type { ShopNamespaces } from './shop-manifests.ts'

/** The nodes on which the shop runs where it runs on paper. */
const PAPER_NODES: readonly string[] = ['node-a', 'node-b']

const MEBIBYTE = 1024 * 1024

const NGINX = paperImage('docker.io/library/nginx', '1.27-alpine', 46)
const NGINX_NEXT = paperImage('docker.io/library/nginx', '1.28-alpine', 48)
const REDIS = paperImage('docker.io/library/redis', '7-alpine', 42)
/** What the tag was before it moved; pods that started then still run it. */
const REDIS_BEFORE: PaperImage = {
  ...REDIS,
  tags: [],
  digest: paperDigest('redis before'),
  sizeBytes: 41 * MEBIBYTE,
}
const ALPINE = paperImage('docker.io/library/alpine', '3.20', 8)
const BUSYBOX = paperImage('docker.io/library/busybox', '1.36', 4)
const BATCH_BUSYBOX = paperImage('registry.k8s.io/e2e-test-images/busybox', '1.36.1-1', 4)
const NODE_EXPORTER = paperImage('quay.io/prometheus/node-exporter', 'v1.8.2', 24)

const BY_REFERENCE: Readonly<Record<string, PaperImage>> = {
  [SHOP_IMAGES.nginx]: NGINX,
  [SHOP_IMAGES.nginxInFull]: NGINX,
  [SHOP_IMAGES.nginxNext]: NGINX_NEXT,
  [SHOP_IMAGES.redis]: REDIS,
  [SHOP_IMAGES.alpine]: ALPINE,
  [SHOP_IMAGES.busybox]: BUSYBOX,
  [SHOP_IMAGES.batchBusybox]: BATCH_BUSYBOX,
  [SHOP_IMAGES.nodeExporter]: NODE_EXPORTER,
}

/** What every paper node has. */
const PAPER_IMAGES: readonly PaperImage[] = [...new Set([...Object.values(BY_REFERENCE), REDIS_BEFORE])]

/** Runs the shop on paper: its pods get nodes, statuses and digests, one tag of them as two digests. */
export function startPaperShop(
  cluster: Pick<ControlPlane, 'admin'>,
  namespaces: ShopNamespaces,
  nodes = PAPER_NODES,
): Promise<PaperKubelet> {
  return PaperKubelet.start({
    cluster,
    nodes,
    images: PAPER_IMAGES,
    namespaces: [namespaces.shop, namespaces.pay],
    resolve: (reference, pod) => paperImageOf(reference, pod, namespaces),
  })
}

/** The image behind a reference: redis moved its tag after the first namespace had started. */
function paperImageOf(reference: string, pod: V1Pod, { shop }: ShopNamespaces): PaperImage | undefined {
  const image = BY_REFERENCE[reference]
  return image === REDIS && pod.metadata?.namespace === shop ? REDIS_BEFORE : image
}

function paperImage(repository: string, tag: string, mebibytes: number): PaperImage {
  const reference = `${repository}:${tag}`
  return { repository, tags: [tag], digest: paperDigest(reference), sizeBytes: mebibytes * MEBIBYTE }
}
