/** A tool that writes to clusters, as `via.tool` names it. */
export interface WritingTool {
  /** Empty where not known. */
  readonly tool: string
  /** A person holds it: what it writes was somebody's will at that moment, no controller's and no pipeline's. */
  readonly byHand: boolean
}

const hand = (tool: string): WritingTool => ({ tool, byHand: true })
const machine = (tool: string): WritingTool => ({ tool, byHand: false })

/**
 * Tools by the field manager they leave. One that names no manager gets the part of its User-Agent before the first
 * slash (apiserver endpoints/handlers managerOrUserAgent): `Mozilla` is a dashboard in a browser, `node-fetch` a
 * desktop tool such as Lens, `HashiCorp` the Terraform provider.
 */
const MANAGERS: readonly (readonly [RegExp, WritingTool])[] = [
  // Argo CD's constant ArgoCDSSAManager, and its User-Agent.
  [/^argocd-(?:controller|application-controller|server|applicationset-controller)$/, machine('argo-cd')],
  [/^(?:kustomize|helm)-controller$/, machine('flux')],
  [/^flux(?:-operator|-client-side-apply)?$/, machine('flux')],
  // Helm names itself after its program: inside of Terraform it is terraform-provider-helm_v2.17.0_x5.
  [/^(?:terraform|hashicorp|opentofu)\b|^terraform-provider-/i, machine('terraform')],
  [/^pulumi-/, machine('pulumi')],
  [/^helm$/, machine('helm')],
  [/^kapp(?:-controller)?$/, machine('kapp')],
  [/^fleet-?agent$/, machine('fleet')],
  [/^configsync$/, machine('config-sync')],
  [/^kubectl(?:$|-)/, hand('kubectl')],
  [/^oc$/, hand('oc')],
  [/^k9s$/, hand('k9s')],
  [/^(?:lens|openlens|open-lens|node-fetch)$/i, hand('lens')],
  [/^freelens/i, hand('freelens')],
  [/^headlamp/i, hand('headlamp')],
  [/^aptakube/i, hand('aptakube')],
  [/^(?:dashboard|dashboard-api|kubernetes-dashboard)$/, hand('dashboard')],
  [/^mozilla$/i, hand('browser')],
  [/^curl$/i, hand('curl')],
  [/^kube-(?:controller-manager|scheduler|apiserver|proxy)$/, machine('kubernetes')],
  [/^(?:cloud-controller-manager|kubelet|kubeadm|cluster-autoscaler)$/, machine('kubernetes')],
  [/^deckwatch(?:-|$)/, machine('deckwatch')],
]

/** The accounts under which GitOps tools run by default; the name of an operator's instance may stand before. */
const ACCOUNTS: readonly (readonly [RegExp, WritingTool])[] = [
  [/(?:^|-)argocd-application-controller$/, machine('argo-cd')],
  [/^(?:kustomize|helm)-controller$/, machine('flux')],
]

const UNKNOWN: WritingTool = machine('')

/** The tool that leaves this field manager; with an empty name where none is known. */
export function toolOfManager(manager: string): WritingTool {
  return MANAGERS.find(([pattern]) => pattern.test(manager))?.[1] ?? UNKNOWN
}

/** The GitOps tool that runs as a service account of this name; undefined for all others. */
export function toolOfAccount(name: string): WritingTool | undefined {
  return ACCOUNTS.find(([pattern]) => pattern.test(name))?.[1]
}
