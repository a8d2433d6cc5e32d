import { type KubectlCluster, kubectlOutput } from '../../test/kit/kubernetes/kubectl.ts'
import { removeShop, deployShop, deployPay } from '../../test/kit/shop/deploy-shop.ts'
import { SHOP_IMAGES } from '../../test/kit/shop/shop-images.ts'
import type { ShopNamespaces } from '../../test/kit/shop/shop-manifests.ts'
import { waitUntilUp } from '../../test/kit/shop/wait-until-up.ts'
import { playBlame, type Colleagues } from './blame-programme.ts'
import { say, step, type Stage } from './stage.ts'

/** How long the stream waits for a rollout, in milliseconds. */
const ROLLOUT_MS = 60_000
/** How long a stream is shown in which nothing need happen, in milliseconds. */
const GLIMPSE_MS = 8_000

/** Every command on a local cluster with the shop in it. */
export async function playLocal(stage: Stage, cluster: KubectlCluster): Promise<void> {
  stage.begin('Which images run where')
  await stage.show({
    caption: 'The images of one namespace: tag, digest that really runs, spread and size on the node',
    command: 'kubectl images -n shop',
  })
  await stage.show({
    caption: 'The whole cluster; the tag redis:7-alpine moved after the first pods had started',
    command: 'kubectl images -A',
  })
  await stage.show({
    caption: 'Which pods run which of the two digests',
    command: 'kubectl images -A redis --by pod',
  })
  await stage.show({
    caption: 'Containers one by one, with init containers and sidecars, in the table of kubectl-images',
    command: 'kubectl images -n shop web -c pod,container,image,size',
  })
  await showRollout(stage, cluster, 'shop', 'kubectl images -n shop --follow')
  await stage.show({ caption: 'What each node carries', command: 'kubectl images -A --by node' })
  await stage.show({
    caption: 'For programs: Image objects',
    command: 'kubectl images -A -o json | head -n 32',
  })
}

/** The companion from its installation to its removal, on a local cluster whose node has its image. */
export async function playCompanion(
  stage: Stage,
  colleagues: Colleagues,
  signal: AbortSignal,
): Promise<void> {
  stage.begin('The companion')
  await stage.show({
    caption: 'It comes with one command, which asks first unless told --yes',
    command: 'kubectl deckwatch install --components image-graph,audit-log --yes',
  })
  await stage.show({
    caption: 'From then on plain kubectl knows images, with -w too',
    command: 'kubectl get images -A',
  })
  await stage.show({
    caption: 'The plugin asks the companion in place of all pods, and shows the same',
    command: 'kubectl images -A',
  })
  stage.begin('Who changed what')
  await colleagues.work(stage)
  await stage.showStream({
    caption:
      'For some seconds the companion has no pod, and dev-2 sets the image of deployment/web; the stream of images goes on afterwards',
    command: 'kubectl images -n shop --follow --no-initial',
    meanwhile: (limit) => colleagues.workUnseen(SHOP_IMAGES.nginx, limit),
    until: `[-|image]  ${SHOP_IMAGES.nginxNext} `,
    atMostMs: ROLLOUT_MS,
  })
  await colleagues.workOn(stage, signal)
  await playBlame(stage)
  stage.begin('When images came and went')
  await stage.show({
    caption: 'With which pod',
    command: 'kubectl images history nginx -n shop',
  })
  await stage.show({
    caption: 'What came and went of nginx in the last hour',
    command: 'kubectl images nginx -n shop --since 1h',
  })
  stage.begin('Its health, and its end')
  await stage.show({
    caption: 'How the companion does, and that a change has no name',
    command: 'kubectl deckwatch status',
  })
  await stage.show({
    caption: 'Away with it, and with all that it made',
    command: 'kubectl deckwatch uninstall --yes',
  })
}

/** The commands that only read, on a cluster of one's own. */
export async function playReadOnly(stage: Stage, context: string): Promise<void> {
  const images = `kubectl images --context ${quoted(context)}`
  await stage.show({ caption: 'The images of the context’s namespace', command: images })
  await stage.show({ caption: 'The images of the whole cluster', command: `${images} -A` })
  await stage.show({ caption: 'What comes from which registry', command: `${images} -A --by registry` })
  await stage.show({ caption: 'What each node carries', command: `${images} -A --by node` })
  await stage.show({
    caption: 'Containers one by one, in the table of kubectl-images',
    command: `${images} -c pod,container,image,size`,
  })
  await stage.showStream({
    caption: 'The stream of what comes and goes from now on',
    command: `${images} -A --follow --no-initial`,
    meanwhile: async () => {},
    atMostMs: GLIMPSE_MS,
  })
  await stage.show({ caption: 'For programs: Image objects', command: `${images} -A -o json | head -n 32` })
}

/** Puts the shop up on a cluster of one's own, shows the stream there, and takes it away again, also after failure. */
export async function playShopOn(
  stage: Stage,
  cluster: KubectlCluster,
  { context, namespaces, signal }: { context: string; namespaces: ShopNamespaces; signal: AbortSignal },
): Promise<void> {
  const images = `kubectl images --context ${quoted(context)} -n ${namespaces.shop}`
  // What is there already must never be taken away at the end.
  const there = await kubectlOutput(
    cluster,
    ['get', 'namespace', namespaces.shop, namespaces.pay, '--ignore-not-found', '--output=name'],
    { signal },
  )
  if (there !== '') {
    throw new Error(`there is ${there.trim().replaceAll('\n', ' and ')} already; nothing was written`)
  }
  try {
    await step('putting the shop up', async () => {
      await deployShop(cluster, namespaces)
      await deployPay(cluster, namespaces)
      await waitUntilUp(cluster, Object.values(namespaces), signal)
    })
    await stage.show({ caption: 'The shop’s images', command: images })
    await showRollout(stage, cluster, namespaces.shop, `${images} --follow`)
  } finally {
    say('taking the shop away again')
    await removeShop(cluster, namespaces)
  }
}

/** Shows a stream of images, while another is set. */
async function showRollout(
  stage: Stage,
  cluster: KubectlCluster,
  namespace: string,
  command: string,
): Promise<void> {
  const change = ['set', 'image', '-n', namespace, 'deployment/web', `app=${SHOP_IMAGES.nginxNext}`]
  await stage.showStream({
    caption: 'The stream, while deployment/web is changed to another image',
    command,
    meanwhile: async (signal) => void (await kubectlOutput(cluster, change, { signal })),
    until: `[-|image]  ${SHOP_IMAGES.nginx} `,
    atMostMs: ROLLOUT_MS,
  })
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}
