import { createSign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { V1ServiceAccount } from '@kubernetes/client-node'
import type { ControlPlane } from '../kubernetes/control-plane.ts'
import { ensureServiceAccount } from '../kubernetes/namespaces.ts'

// The API server takes a token for another minute after its end (go-jose's DefaultLeeway).
const LEEWAY_SECONDS = 60

/**
 * A ServiceAccount's token that is accepted until a time of one's own choice, past ones too, in epoch milliseconds: the API server
 * itself gives out none for less than ten minutes.
 */
export async function shortToken(
  cluster: ControlPlane,
  {
    namespace,
    name,
    expiresAt,
  }: { readonly namespace: string; readonly name: string; readonly expiresAt: number },
): Promise<string> {
  await ensureServiceAccount(cluster.admin, namespace, name)
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}`
  const { metadata } = await cluster.admin.send<V1ServiceAccount>('GET', path)
  const issuer = 'https://kubernetes.default.svc'
  const expiry = Math.floor(expiresAt / 1000) - LEEWAY_SECONDS
  const claims = {
    iss: issuer,
    aud: [issuer],
    sub: `system:serviceaccount:${namespace}:${name}`,
    iat: expiry - 3600,
    nbf: expiry - 3600,
    exp: expiry,
    'kubernetes.io': { namespace, serviceaccount: { name, uid: metadata?.uid } },
  }
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`
  const key = readFileSync(cluster.folder.file('pki', 'service-account.key'))
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(key, 'base64url')}`
}
