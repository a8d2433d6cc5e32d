import type * as X509 from '@peculiar/x509'
import { installReflectMetadata } from './reflect-metadata.ts'

/** The library that writes certificates and reads requests for them; loaded with the first of either. */
export function loadX509(): Promise<typeof X509> {
  installReflectMetadata()
  return import('@peculiar/x509')
}
