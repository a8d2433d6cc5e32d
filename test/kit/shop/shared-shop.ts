import type { ControlPlane } from '../kubernetes/control-plane.ts'
import { deployPay, deployShop } from './deploy-shop.ts'
import { startPaperShop } from './paper-shop.ts'
import type { ShopNamespaces } from './shop-manifests.ts'
import { waitUntilUp } from './wait-until-up.ts'

const shops = new WeakMap<ControlPlane, Promise<ShopNamespaces>>()

/** The shop on paper that all suites of a control plane share and none changes; it is put up when first asked for. */
export function sharedShop(cluster: ControlPlane): Promise<ShopNamespaces> {
  const shop = shops.get(cluster) ?? putUp(cluster)
  shops.set(cluster, shop)
  return shop
}

async function putUp(cluster: ControlPlane): Promise<ShopNamespaces> {
  const namespaces: ShopNamespaces = { shop: 'shop', pay: 'pay' }
  const kubelet = await startPaperShop(cluster, namespaces)
  try {
    await deployShop(cluster, namespaces)
    await deployPay(cluster, namespaces)
    await waitUntilUp(cluster, Object.values(namespaces))
  } finally {
    await kubelet.stop()
  }
  return namespaces
}
