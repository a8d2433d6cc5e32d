/**
 * The images of the shop, by what they do there. They exist in public registries and hold a shell, so that the shop
 * also starts on a cluster that pulls them; the kit's own nodes have small stand-ins of these names.
 */
export const SHOP_IMAGES = {
  nginx: 'nginx:1.27-alpine',
  /** The same image as `nginx`, as somebody else writes it. */
  nginxInFull: 'docker.io/library/nginx:1.27-alpine',
  /** What `web` is changed to while somebody follows. */
  nginxNext: 'nginx:1.28-alpine',
  redis: 'redis:7-alpine',
  alpine: 'alpine:3.20',
  busybox: 'busybox:1.36',
  batchBusybox: 'registry.k8s.io/e2e-test-images/busybox:1.36.1-1',
  nodeExporter: 'quay.io/prometheus/node-exporter:v1.8.2',
} as const

/** The name by which a container runtime knows an image. */
export function inFull(reference: string): string {
  const [first = '', ...rest] = reference.split('/')
  if (rest.length === 0) return `docker.io/library/${reference}`
  return /[.:]/.test(first) ? reference : `docker.io/${reference}`
}
