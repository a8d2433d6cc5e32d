import { BlockList, isIP } from 'node:net'
import { DeckError } from '../lib/errors.ts'
import { proxyVariable } from './proxy-variables.ts'
import type { Variables } from './proxy-variables.ts'

function parseProxy(text: string): URL | undefined {
  if (!text) return undefined
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\/./i.test(text) ? text : `http://${text}`)
  return url ?? undefined
}

function portOf(url: URL): string {
  return url.port || (url.protocol === 'https:' ? '443' : '80')
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase()
}

function isLoopback(host: string): boolean {
  return (
    host === 'localhost' ||
    (isIP(host) === 4 && host.startsWith('127.')) ||
    host === '::1' ||
    host.startsWith('::ffff:7f')
  )
}

function contains(cidr: string, host: string): boolean {
  const [address = '', bits = ''] = cidr.split('/')
  const family = isIP(address)
  if (family === 0 || !/^\d+$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128)) return false
  const block = new BlockList()
  const type = family === 4 ? 'ipv4' : 'ipv6'
  block.addSubnet(address, Number(bits), type)
  return block.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6')
}

function splitPort(entry: string): [string, string] {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):([^:]*)$/.exec(entry)
  return match ? [match[1] ?? match[2] ?? '', match[3] ?? ''] : [entry, '']
}

// golang.org/x/net/http/httpproxy: an address, a CIDR block, a domain (with its subdomains; only them after a dot), each
// with an optional port.
function matches(entry: string, host: string, port: string): boolean {
  if (entry.includes('/')) return isIP(host) !== 0 && contains(entry, host)
  const [name, onlyPort] = splitPort(entry)
  if (!name || (onlyPort && onlyPort !== port)) return false
  if (isIP(name) !== 0) return isIP(host) !== 0 && contains(`${name}/${isIP(name) === 4 ? 32 : 128}`, host)
  if (isIP(host) !== 0) return false
  const domain = name.replace(/^\*\./, '.')
  return domain.startsWith('.') ? host.endsWith(domain) : host === domain || host.endsWith(`.${domain}`)
}

/**
 * The proxy through which a server is reached, or undefined for none: the kubeconfig's own always, else that of
 * HTTPS_PROXY or HTTP_PROXY with the exceptions of NO_PROXY (upper case first), read as Go reads them. From the
 * environment loopback is never proxied.
 */
export function proxyFor(server: URL, proxyUrl: string | undefined, variables: Variables): URL | undefined {
  if (proxyUrl) return parseProxy(proxyUrl)
  const proxy = parseProxy(
    proxyVariable(variables, server.protocol === 'https:' ? 'https_proxy' : 'http_proxy'),
  )
  if (!proxy) return undefined
  const host = hostOf(server)
  if (isLoopback(host)) return undefined
  const exceptions = proxyVariable(variables, 'no_proxy')
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
  const excepted = exceptions.some((entry) => entry === '*' || matches(entry, host, portOf(server)))
  return excepted ? undefined : proxy
}

/** A proxy's address for people: its login is left out. */
export function proxyName(proxy: URL): string {
  return `${proxy.protocol}//${proxy.host}`
}

/** Whether requests to a server go to the proxy as they are, to be passed on by it, and not through a tunnel (as Go). */
export function forwardsTo(server: URL, proxy: URL): boolean {
  // A SOCKS proxy knows only tunnels.
  return server.protocol === 'http:' && /^https?:$/.test(proxy.protocol)
}

/** The login of an http proxy as a Proxy-Authorization header, or undefined where its URL has none. */
export function proxyAuthorization(proxy: URL): string | undefined {
  const login = proxyLogin(proxy)
  return login && `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`
}

/** The login in a proxy's URL. */
export function proxyLogin(proxy: URL): { readonly user: string; readonly password: string } | undefined {
  if (!proxy.username && !proxy.password) return undefined
  return { user: decodeURIComponent(proxy.username), password: decodeURIComponent(proxy.password) }
}

/** The error for a proxy that does not do what it is there for. */
export function proxyRefused(proxy: URL, what: string, hint: string): DeckError {
  return new DeckError('KUBE_UNREACHABLE', `the proxy ${proxyName(proxy)} ${what}`, { hint })
}

/** The error for a 407. */
export function proxyWantsLogin(proxy: URL): DeckError {
  return proxyRefused(
    proxy,
    'wants a login (407)',
    'Put USER:PASSWORD@ before its host in proxy-url, HTTPS_PROXY or HTTP_PROXY.',
  )
}
